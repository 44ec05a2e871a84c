#!/usr/bin/env python3
"""Writes rules.txt: 100 000 random rules of the accepted profile with their slots by python-dateutil.

    pip install python-dateutil==2.9.0.post0
    python3 generate.py > rules.txt
    python3 generate.py "FREQ=MONTHLY;BYMONTHDAY=31" 2027-01-31     # shows the slots of one rule

A line is: rule, start, answer, and `clamp` where month_overflow is not `skip`. A rule is written
short: the first letter of FREQ with the INTERVAL behind it, then the other parts by a letter each
(see LETTERS). The answer is `never` when the first slot lies more than 12 years ahead, else the FNV-1a
hash of the first 12 slots before 2101, as days from the start.

Python-dateutil knows no month_overflow. What `clamp` means is written as a rule of RFC 5545 instead:
the last of the days 28 to that of the start, BYMONTHDAY=28,29,30,31;BYSETPOS=-1.
"""

import datetime
import itertools
import random
import sys
import types

import dateutil
from dateutil import rrule
from dateutil.relativedelta import relativedelta

VERSION = "2.9.0.post0"
LINES = 100_000
SLOTS = 12
LAST_YEAR = 2100
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FREQUENCIES = {"D": "DAILY", "W": "WEEKLY", "M": "MONTHLY", "Y": "YEARLY"}
LETTERS = {"c": "COUNT", "u": "UNTIL", "m": "BYMONTH", "d": "BYMONTHDAY", "w": "BYDAY", "s": "BYSETPOS", "k": "WKST"}

# Python-dateutil looks for the next slot until the year 9999, which takes minutes for a rule that has
# none. It reads the last year from its `datetime`; nothing else is changed.
rrule.datetime = types.SimpleNamespace(**{**vars(datetime), "MAXYEAR": LAST_YEAR})


def places(pick, most, upto):
    numbers = {pick.choice([1, 1, -1]) * pick.randint(1, most) for _ in range(pick.randint(1, upto))}
    return ",".join(str(number) for number in sorted(numbers))


def by_day(pick, ordinals):
    days = pick.sample(WEEKDAYS, pick.randint(1, 4))
    if ordinals and pick.random() < 0.6:
        most = len(days) - 1 if pick.random() < 0.03 else 3  # A few mix days with and without.
        nth = [f"{pick.choice([1, 2, 3, 4, 5, -1, -2, -3, -4, -5])}{day}" for day in days[:most]]
        days = nth + days[most:] if most < 3 else nth
    return ",".join(days)


def interval(pick, frequency):
    every = pick.choice([1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 10, 12, 18, 24, pick.randint(1, 999)])
    return min(every, pick.randint(1, 12)) if frequency == "Y" else every


def random_parts(pick, start, clamp):
    """Returns the rule as a dictionary, its frequency under "f" and its interval under "i"."""
    frequency = pick.choice("MMY") if clamp else pick.choice("DWMMYY")
    per_month = frequency in "MY"
    parts = {"f": frequency, "i": interval(pick, frequency)}
    end = pick.random()
    if end < 0.15:
        parts["c"] = str(pick.randint(1, 14))
    elif end < 0.3:
        until = start + datetime.timedelta(days=pick.randint(0, 5000))
        parts["u"] = f"{until:%Y%m%d}"
    if pick.random() < 0.3:
        months = sorted(pick.sample(range(1, 13), pick.randint(1, 4)))
        parts["m"] = ",".join(str(month) for month in months)
    if clamp:
        return parts
    if frequency != "W" and pick.random() < 0.35:
        parts["d"] = places(pick, 31, 5)
    if pick.random() < 0.5:
        parts["w"] = by_day(pick, per_month)
    if per_month and parts.keys() & set("mdw") and pick.random() < 0.3:
        parts["s"] = places(pick, pick.choice([3, 6, 40]), 3)
    if pick.random() < 0.3:
        parts["k"] = pick.choice(WEEKDAYS)
    return parts


def random_start(pick):
    start = datetime.datetime(1995, 1, 1) + datetime.timedelta(days=pick.randint(0, 40 * 365))
    kind = pick.random()
    if kind < 0.2:
        start = start.replace(month=pick.choice([1, 3, 5, 7, 8, 10, 12]), day=31)
    elif kind < 0.27:
        start = datetime.datetime(pick.choice(range(1996, 2036, 4)), 2, 29)
    return start


def clamped(parts, start):
    """Returns the rule of RFC 5545 that means the same; None where there is no such single rule."""
    parts = dict(parts, d=",".join(str(day) for day in range(min(28, start.day), start.day + 1)), s="-1")
    if start.day <= 28:
        parts["d"] = str(start.day)
    if parts["f"] == "Y":
        parts.setdefault("m", str(start.month))
        if "," in parts["m"]:
            parts["f"] = "M" if parts["i"] == 1 else None
    return parts if parts["f"] else None


def text(parts):
    found = [f"FREQ={FREQUENCIES[parts['f']]}"] + ([f"INTERVAL={parts['i']}"] if parts["i"] > 1 else [])
    return ";".join(found + [f"{name}={parts[key]}" for key, name in LETTERS.items() if key in parts])


def short(parts):
    first = parts["f"] + (str(parts["i"]) if parts["i"] > 1 else "")
    return ";".join([first] + [key + parts[key] for key in LETTERS if key in parts])


def slots(rule, start):
    """Returns the first slots, or None when the rule never occurs."""
    # UNTIL is taken off and applied here, so that a late first slot is not mistaken for none.
    endless = ";".join(part for part in rule.split(";") if not part.startswith("UNTIL="))
    found = list(itertools.islice(rrule.rrulestr(endless, dtstart=start), SLOTS))
    found = [slot for slot in found if slot.year <= LAST_YEAR]  # A last week can end in the next year.
    if not found or found[0] > start + relativedelta(years=12):
        return None
    until = [part[6:] for part in rule.split(";") if part.startswith("UNTIL=")]
    last = datetime.datetime.strptime(until[0], "%Y%m%d") if until else datetime.datetime.max
    return " ".join(str((slot - start).days) for slot in found if slot <= last)


def fnv1a(answer):
    value = 0x811C9DC5
    for byte in answer.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


def line(pick):
    start, clamp = random_start(pick), pick.random() < 0.12
    parts = random_parts(pick, start, clamp)
    meaning = clamped(parts, start) if clamp else parts
    if not meaning:
        return None
    answer = slots(text(meaning), start)
    answer = "never" if answer is None else fnv1a(answer)
    return f"{short(parts)} {start:%Y%m%d} {answer}{' clamp' if clamp else ''}"


def main():
    assert dateutil.__version__ == VERSION, dateutil.__version__
    if len(sys.argv) == 3:
        print(slots(sys.argv[1], datetime.datetime.fromisoformat(sys.argv[2])))
        return
    pick = random.Random(5545)
    lines = set()
    while len(lines) < LINES:
        lines.add(line(pick))
        lines.discard(None)
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
