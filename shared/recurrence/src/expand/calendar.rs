//! The Gregorian calendar as far as sets of days need it, in plain integers.

use chrono::Weekday;

use super::DaySet;
use crate::rule::ByDay;
use crate::schedule::MonthOverflow;

/// Days since the start of the common era; 1 is Monday, 0001-01-01.
pub(super) type DayNumber = i32;

const MONTH_LENGTHS: [i32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

#[derive(Debug)]
pub(super) struct Year {
    pub(super) number: i32,
    pub(super) months: [Month; 12],
    first: DayNumber,
    length: i32,
}

impl Year {
    pub(super) fn new(number: i32) -> Self {
        let leap = number % 4 == 0 && (number % 100 != 0 || number % 400 == 0);
        let before = number - 1;
        let first = 365 * before + before / 4 - before / 100 + before / 400 + 1;
        let mut next = first;
        let months = std::array::from_fn(|index| {
            let length = MONTH_LENGTHS[index] + i32::from(leap && index == 1);
            let month = Month {
                year: number,
                index,
                first: next,
                length,
            };
            next += length;
            month
        });
        Self {
            number,
            months,
            first,
            length: next - first,
        }
    }

    /// Returns the nth weekdays of the year, such as its second Monday.
    pub(super) fn nth_weekdays(&self, days: &[ByDay]) -> [DaySet; 12] {
        let mut sets = [0; 12];
        for day in days {
            let Some(mut place) = nth_weekday(self.first, self.length, *day) else {
                continue;
            };
            for (set, month) in sets.iter_mut().zip(&self.months) {
                if place < month.length {
                    *set |= 1 << place;
                    break;
                }
                place -= month.length;
            }
        }
        sets
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Month {
    pub(super) year: i32,
    /// 0 for January.
    pub(super) index: usize,
    first: DayNumber,
    length: i32,
}

impl Month {
    /// Returns 1 for January.
    pub(super) fn number(&self) -> i32 {
        // An index below twelve fits.
        i32::try_from(self.index).unwrap_or(0) + 1
    }

    pub(super) fn all(&self) -> DaySet {
        DaySet::MAX >> (32 - self.length)
    }

    /// Returns the day of that number, or the last one if the month is too short and clamped.
    pub(super) fn day(&self, day: u32, overflow: MonthOverflow) -> DaySet {
        let day = day.cast_signed();
        match overflow {
            MonthOverflow::Clamp => 1 << (day.min(self.length) - 1),
            MonthOverflow::Skip => (1 << (day - 1)) & self.all(),
        }
    }

    /// Returns the days of those numbers, negative ones counted from the end.
    pub(super) fn days(&self, days: &[i32]) -> DaySet {
        let mut set = 0;
        for day in days {
            let place = if *day > 0 { day - 1 } else { self.length + day };
            if (0..self.length).contains(&place) {
                set |= 1 << place;
            }
        }
        set
    }

    /// Returns every day that is one of the weekdays (bit 0 for Monday).
    pub(super) fn weekdays(&self, weekdays: u8) -> DaySet {
        // One week, turned so that bit 0 is the weekday of the first; then five of them in a row.
        let first = (self.first - 1).rem_euclid(7);
        let week = (u64::from(weekdays) * 0x81) >> first & 0x7F;
        let weeks = week * 0x1020_4081;
        // The month has at most 31 days, the mask cuts the rest off.
        u32::try_from(weeks & u64::from(self.all())).unwrap_or(0)
    }

    pub(super) fn nth_weekday(&self, day: ByDay) -> DaySet {
        nth_weekday(self.first, self.length, day).map_or(0, |place| 1 << place)
    }

    /// Returns `width` days out of every `period`, the first of them counted from `origin`.
    pub(super) fn every(&self, period: i32, width: i32, origin: DayNumber) -> DaySet {
        if period == width {
            return self.all();
        }
        let run = (1_u64 << width) - 1;
        let mut set = 0_u64;
        let mut place = -(self.first - origin).rem_euclid(period);
        while place < self.length {
            if place >= 0 {
                set |= run << place;
            } else if place > -width {
                set |= run >> -place;
            }
            place += period;
        }
        u32::try_from(set & u64::from(self.all())).unwrap_or(0)
    }
}

/// Returns the place, from 0, of the nth weekday of a span of days.
fn nth_weekday(first: DayNumber, length: i32, day: ByDay) -> Option<i32> {
    let ordinal = day.ordinal?;
    let weekday = weekday_number(day.weekday);
    let place = if ordinal > 0 {
        (weekday - first).rem_euclid(7) + 7 * (ordinal - 1)
    } else {
        let last = first + length - 1;
        length - 1 - (last - weekday).rem_euclid(7) + 7 * (ordinal + 1)
    };
    (0..length).contains(&place).then_some(place)
}

/// Returns the number of the first such weekday of the common era.
fn weekday_number(weekday: Weekday) -> DayNumber {
    weekday.number_from_monday().cast_signed()
}
