#!/usr/bin/env python3
"""Writes rules.txt: random rules of the accepted profile with their first slots by python-dateutil.

    pip install python-dateutil==2.9.0.post0
    python3 generate.py > rules.txt

Each line is: rule, start, then the first 12 slots as days from the start ("never" when the first
one lies more than 12 years ahead). A month without the start's day has no slot (month_overflow
skip), as in RFC 5545.

Left out, because python-dateutil deviates from RFC 5545 there:
- BYDAY that mixes weekdays with and without ordinal (it intersects them instead of joining them);
- WEEKLY with BYSETPOS (it counts the first week from the start); our profile refuses that anyway.
"""

import datetime
import itertools
import random

from dateutil.relativedelta import relativedelta
from dateutil.rrule import rrulestr

LINES = 1500
SLOTS = 12
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def places(pick, most, upto):
    numbers = {pick.choice([1, 1, -1]) * pick.randint(1, most) for _ in range(pick.randint(1, upto))}
    return ",".join(str(number) for number in sorted(numbers))


def by_day(pick, ordinals):
    days = pick.sample(WEEKDAYS, pick.randint(1, 4))
    if ordinals and pick.random() < 0.6:
        days = [f"{pick.choice([1, 2, 3, 4, 5, -1, -2, -3, -4, -5])}{day}" for day in days[:3]]
    return ",".join(days)


def interval(pick):
    return pick.choice([1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 10, 12, 18, 24, pick.randint(1, 999)])


def random_rule(pick, start):
    frequency = pick.choice(["DAILY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY", "YEARLY"])
    per_month = frequency in ("MONTHLY", "YEARLY")
    parts = [f"FREQ={frequency}"]
    every = interval(pick)
    if frequency == "YEARLY":
        every = min(every, pick.randint(1, 12))
    if every > 1:
        parts.append(f"INTERVAL={every}")
    end = pick.random()
    if end < 0.15:
        parts.append(f"COUNT={pick.randint(1, 14)}")
    elif end < 0.3:
        until = start + datetime.timedelta(days=pick.randint(0, 5000))
        parts.append(f"UNTIL={until:%Y%m%d}")
    by = []
    if pick.random() < 0.3:
        months = sorted(pick.sample(range(1, 13), pick.randint(1, 4)))
        by.append("BYMONTH=" + ",".join(str(month) for month in months))
    if frequency != "WEEKLY" and pick.random() < 0.35:
        by.append("BYMONTHDAY=" + places(pick, 31, 5))
    if pick.random() < 0.5:
        by.append("BYDAY=" + by_day(pick, per_month))
    if per_month and by and pick.random() < 0.3:
        by.append("BYSETPOS=" + places(pick, pick.choice([3, 6, 40]), 3))
    if pick.random() < 0.3:
        by.append("WKST=" + pick.choice(WEEKDAYS))
    return ";".join(parts + by)


def random_start(pick):
    start = datetime.datetime(1995, 1, 1) + datetime.timedelta(days=pick.randint(0, 40 * 365))
    kind = pick.random()
    if kind < 0.2:
        start = start.replace(month=pick.choice([1, 3, 5, 7, 8, 10, 12]), day=31)
    elif kind < 0.27:
        start = datetime.datetime(pick.choice(range(1996, 2036, 4)), 2, 29)
    return start


def line(pick):
    start = random_start(pick)
    rule = random_rule(pick, start)
    try:
        # UNTIL is taken off and applied here, so that a late first slot is not mistaken for none.
        endless = ";".join(part for part in rule.split(";") if not part.startswith("UNTIL="))
        slots = list(itertools.islice(rrulestr(endless, dtstart=start), SLOTS))
    except (ValueError, IndexError):
        return None  # python-dateutil cannot expand it.
    if not slots or slots[0] > start + relativedelta(years=12):
        return f"{rule} {start:%Y-%m-%d} never"
    until = [part[6:] for part in rule.split(";") if part.startswith("UNTIL=")]
    if until:
        last = datetime.datetime.strptime(until[0], "%Y%m%d")
        slots = [slot for slot in slots if slot <= last]
    return " ".join([rule, f"{start:%Y-%m-%d}"] + [str((slot - start).days) for slot in slots])


def main():
    pick = random.Random(5545)
    lines = set()
    while len(lines) < LINES:
        found = line(pick)
        if found:
            lines.add(found)
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
