//! Work on several things that do not depend on each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who has threads does jobs side by side; who has none, one after the other.
pub trait Spread: Sync {
    /// Calls `job` once for each number below `count`, and comes back when all are done.
    fn spread(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(job);
    }
}

/// What a job makes of each thing, in the order of the things.
pub fn each<T: Sync, R: Send>(spread: &dyn Spread, things: &[T], job: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let made: Vec<Mutex<Option<R>>> = things.iter().map(|_| Mutex::new(None)).collect();
    spread.spread(things.len(), &|at| {
        if let (Some(thing), Some(place)) = (things.get(at), made.get(at)) {
            let result = job(thing);
            *locked(place) = Some(result);
        }
    });
    // Each place was filled: `spread` comes back when all are done.
    made.into_iter().filter_map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Fewer jobs that take microseconds are done sooner than a thread begins.
const FEW: usize = 16;

/// The same for light jobs, which are spread only where there are many.
pub fn each_light<T: Sync, R: Send>(spread: &dyn Spread, things: &[T], job: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if things.len() < FEW { things.iter().map(job).collect() } else { each(spread, things, job) }
}

/// What a lock keeps. A job that panicked has left nothing half done: values are put in whole.
pub fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Spread for Two {
        fn spread(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
            std::thread::scope(|scope| {
                for odd in [1, 0] {
                    scope.spawn(move || (odd..count).step_by(2).for_each(job));
                }
            });
        }
    }

    struct One;

    impl Spread for One {}

    #[test]
    fn the_order_is_that_of_the_things() {
        let things: Vec<usize> = (0..100).collect();
        let twice: Vec<usize> = things.iter().map(|thing| thing * 2).collect();
        for spread in [&Two as &dyn Spread, &One] {
            assert_eq!(each(spread, &things, |thing| thing * 2), twice);
            assert_eq!(each_light(spread, &things, |thing| thing * 2), twice);
            assert_eq!(each_light(spread, &things[..3], |thing| thing * 2), twice[..3]);
        }
    }
}
