//! Which open occurrences stay when a series gets another rule, and where the new one begins.

use chrono::NaiveDate;
use event_schema::{GenerationMode, Series, SeriesStatus, Task, TaskId};
use recurrence::Slot;
use slots::Turn;

use super::go_on::{Break, is_kept};
use super::split::SeriesEdit;
use crate::domain::Fault;

/// An open occurrence of a series.
#[derive(Clone, Debug)]
pub struct Standing {
    /// It.
    pub task: Task,
    /// Its slot.
    pub slot: Slot,
    /// Whether somebody has put work into it.
    pub is_touched: bool,
}

/// Where a series stands that is to get another rule.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Its open occurrences, in the order of their slots.
    pub open: Vec<Standing>,
    /// Its newest occurrence, whatever became of it.
    pub newest: Option<(TaskId, Slot)>,
    /// The newest slot whose task is finished or thrown away.
    pub finished: Option<Slot>,
    /// The first slot without a task.
    pub turn: Option<Turn>,
    /// In the zone of the series.
    pub today: NaiveDate,
}

/// What becomes of the occurrences of the series that ends, and where the next one begins.
#[derive(Clone, Debug)]
pub struct Turnover {
    /// Where.
    pub at: Break,
    /// Those that stay, in the order of their slots.
    pub stays: Vec<Task>,
    /// Those that lead over: the next series begins when they are finished.
    pub leads: Vec<TaskId>,
    /// Those that go to the trash.
    pub goes: Vec<Task>,
}

/// What becomes of the occurrences when another rule holds from `wanted` on, or for all that is not
/// finished.
///
/// What somebody has put work into stays, and so does what the new rule has too. The next series waits for
/// it, so that nobody has two open occurrences where there was one. A paused series waits for its newest
/// occurrence in any case: it makes none before it is resumed.
pub fn turn_over(
    old: &Series,
    scene: Scene,
    wanted: Option<NaiveDate>,
    edit: &SeriesEdit,
) -> Result<Turnover, Vec<Fault>> {
    let parts = match wanted {
        None if !scene.open.is_empty() => for_all(old, &scene, edit)?,
        wanted => from_day(&scene, wanted)?,
    };
    let (stays, goes): (Vec<_>, Vec<_>) = scene.open.into_iter().partition(|one| parts.keeps(one));
    let last = stays.last().map(|one| (one.task.id, one.slot));
    let is_paused = old.status == SeriesStatus::Paused;
    let after = last.or(scene.newest.filter(|_| is_paused));
    let generation = edit.generation.unwrap_or(old.generation);
    let leads = match generation.mode {
        // All of them count as open in the next series.
        GenerationMode::OnSchedule if last.is_some() => {
            stays.iter().map(|one| one.task.id).collect()
        }
        _ => after.iter().map(|(id, _)| *id).collect(),
    };
    let mut from = parts.from.max(behind(last));
    let mut counts_from = parts.counts_from;
    if wanted.is_none() && last.is_none() {
        // What is replaced is replaced by something that can still be done.
        from = from.max(behind(scene.finished.map(|slot| ((), slot))));
        counts_from = from;
    }
    let gone = goes
        .iter()
        .filter_map(|one| one.task.occurrence_index)
        .min();
    let tasks = |list: Vec<Standing>| list.into_iter().map(|one| one.task).collect();
    Ok(Turnover {
        at: Break {
            from,
            counts_from,
            index: gone.or(scene.turn.map(|turn| turn.index)).unwrap_or(1),
            after,
        },
        stays: tasks(stays),
        leads,
        goes: tasks(goes),
    })
}

/// The day after a slot; the first of all without one.
fn behind<T>(slot: Option<(T, Slot)>) -> NaiveDate {
    let next = slot.and_then(|(_, slot)| slot.date().succ_opt());
    next.unwrap_or(NaiveDate::MIN)
}

/// From which day on the new rule holds, and which open occurrences it leaves alone.
struct Parts {
    from: NaiveDate,
    counts_from: NaiveDate,
    stays: Vec<TaskId>,
}

impl Parts {
    fn keeps(&self, one: &Standing) -> bool {
        self.stays.contains(&one.task.id)
    }
}

/// All that is open gets the new rule. A rule alone counts from what stays, or else from today.
fn for_all(old: &Series, scene: &Scene, edit: &SeriesEdit) -> Result<Parts, Vec<Fault>> {
    let is_paused = old.status == SeriesStatus::Paused;
    let touched = scene
        .open
        .iter()
        .rev()
        .find(|one| one.is_touched || is_paused);
    let Some(head) = touched.or(scene.open.first()) else {
        return from_day(scene, None);
    };
    let counts_from = head.slot.date();
    let mut stays = Vec::new();
    for one in &scene.open {
        if is_paused || one.is_touched || is_kept(old, counts_from, edit, one.slot)? {
            stays.push(one.task.id);
        }
    }
    Ok(Parts {
        from: counts_from.max(scene.today),
        counts_from,
        stays,
    })
}

/// From a day on: after all that is finished, and no later than the next slot, because what lies between
/// would belong to neither series.
fn from_day(scene: &Scene, wanted: Option<NaiveDate>) -> Result<Parts, Vec<Fault>> {
    let refusal = |code, message| Err(vec![Fault::new("/effective_from", code, message)]);
    let next = scene.turn.map(|turn| turn.slot.date());
    let Some(from) = wanted.or(next) else {
        let message = "is required, because the series has no slot left: say from which day on";
        return refusal("missing", message.to_owned());
    };
    if let Some(finished) = scene.finished.filter(|finished| finished.date() >= from) {
        let day = finished.date();
        let message = format!("must be after {day}: what is finished by then stays in its series");
        return refusal("too_early", message);
    }
    if let Some(next) = next.filter(|next| *next < from) {
        let message = format!(
            "must be {next} or earlier, the first slot without a task: send it again when its turn comes"
        );
        return refusal("too_late", message);
    }
    let stays = scene.open.iter();
    let stays = stays.filter(|one| one.is_touched || one.slot.date() < from);
    Ok(Parts {
        from,
        counts_from: from,
        stays: stays.map(|one| one.task.id).collect(),
    })
}

#[cfg(test)]
mod tests;
