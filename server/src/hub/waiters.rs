//! Who waits for a topic's next message: a seat for each subscriber that ever waited, and in it its
//! waker while it waits.
//!
//! Seats are given out under the topic's lock, together with the look at the log that found nothing
//! more; so there is no moment between looking and waiting in which a message could slip by.

use std::task::Waker;

/// A place among those who wait, kept from wait to wait.
#[derive(Debug)]
pub(super) struct Seat(usize);

/// The seats of a topic.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    seats: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Waiters {
    /// Waits in `seat`, which is taken where there is none yet.
    pub(super) fn wait(&mut self, seat: &mut Option<Seat>, waker: &Waker) {
        let Seat(index) = *seat.get_or_insert_with(|| self.sit_down());
        if let Some(place) = self.seats.get_mut(index) {
            match place {
                Some(waiting) => waiting.clone_from(waker),
                None => *place = Some(waker.clone()),
            }
        }
    }

    fn sit_down(&mut self) -> Seat {
        Seat(self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        }))
    }

    /// Gives a seat back, and all of them where nobody is left.
    #[expect(clippy::needless_pass_by_value, reason = "a seat that was given back is nobody's")]
    pub(super) fn leave(&mut self, seat: Seat) {
        if let Some(place) = self.seats.get_mut(seat.0) {
            *place = None;
            self.free.push(seat.0);
        }
        if self.free.len() == self.seats.len() {
            *self = Self::default();
        }
    }

    /// All who wait, to be woken in the order of their seats once the lock is free.
    pub(super) fn rouse(&mut self) -> Vec<Waker> {
        let mut roused = Vec::with_capacity(self.seats.len() - self.free.len());
        roused.extend(self.seats.iter_mut().filter_map(Option::take));
        roused
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn sleeper() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), count.into())
    }

    #[test]
    fn who_waits_is_roused_once_and_by_the_waker_that_came_last() {
        let mut waiters = Waiters::default();
        let ((first, stale), (second, fresh)) = (sleeper(), sleeper());
        let mut seat = None;
        waiters.wait(&mut seat, &stale);
        waiters.wait(&mut seat, &fresh);
        for _ in 0..2 {
            waiters.rouse().into_iter().for_each(Waker::wake);
        }
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
    }

    #[test]
    fn who_left_is_not_roused_and_makes_room() {
        let mut waiters = Waiters::default();
        let (mut leaving, mut staying, mut coming) = (None, None, None);
        waiters.wait(&mut leaving, Waker::noop());
        waiters.wait(&mut staying, Waker::noop());
        waiters.leave(leaving.unwrap());
        assert_eq!(waiters.rouse().len(), 1);
        waiters.wait(&mut coming, Waker::noop());
        assert_eq!(waiters.seats.len(), 2);
        waiters.leave(staying.unwrap());
        waiters.leave(coming.unwrap());
        assert_eq!(waiters.seats.capacity(), 0);
    }
}
