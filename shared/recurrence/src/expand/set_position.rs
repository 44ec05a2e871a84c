//! `BYSETPOS`: keep some members of a period's set.

use super::DaySet;

/// Keeps the members at the given places of the whole set; no places means all of it.
pub(super) fn keep(sets: &mut [DaySet], places: &[i32]) {
    if places.is_empty() {
        return;
    }
    let size: u32 = sets.iter().map(|set| set.count_ones()).sum();
    let size = size.cast_signed();
    let mut kept = [0; 12];
    for place in places {
        let place = if *place > 0 { place - 1 } else { size + place };
        if (0..size).contains(&place) {
            copy_member(sets, place.cast_unsigned(), &mut kept);
        }
    }
    for (set, kept) in sets.iter_mut().zip(kept) {
        *set = kept;
    }
}

fn copy_member(sets: &[DaySet], mut place: u32, kept: &mut [DaySet; 12]) {
    for (set, kept) in sets.iter().zip(kept) {
        let size = set.count_ones();
        if place < size {
            let mut rest = *set;
            for _ in 0..place {
                rest &= rest - 1; // Drops the lowest member.
            }
            *kept |= 1 << rest.trailing_zeros();
            return;
        }
        place -= size;
    }
}
