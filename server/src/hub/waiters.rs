//! The subscribers that wait for a topic's next message: a seat for each subscriber that ever waited, with
//! the subscriber's waker while it waits.
//!
//! A subscriber reads the log and takes its seat under one lock, so that no message can arrive in between
//! unnoticed.

use std::task::Waker;

/// A subscriber's place, kept from wait to wait.
#[derive(Debug)]
pub(super) struct Seat(usize);

/// The seats of a topic.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    seats: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Waiters {
    /// Leaves a waker in `seat`, which is taken first where the subscriber has none.
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

    /// Frees a seat, and the memory of all seats with the last one.
    #[expect(clippy::needless_pass_by_value, reason = "a freed seat must not be used again")]
    pub(super) fn leave(&mut self, seat: Seat) {
        if let Some(place) = self.seats.get_mut(seat.0) {
            *place = None;
            self.free.push(seat.0);
        }
        if self.free.len() == self.seats.len() {
            *self = Self::default();
        }
    }

    /// All wakers, in the order of their seats, to be woken once the lock is free.
    pub(super) fn take_all(&mut self) -> Vec<Waker> {
        let mut woken = Vec::with_capacity(self.seats.len() - self.free.len());
        woken.extend(self.seats.iter_mut().filter_map(Option::take));
        woken
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
    fn a_waiting_subscriber_is_woken_once_by_its_latest_waker() {
        let mut waiters = Waiters::default();
        let ((first, stale), (second, fresh)) = (sleeper(), sleeper());
        let mut seat = None;
        waiters.wait(&mut seat, &stale);
        waiters.wait(&mut seat, &fresh);
        for _ in 0..2 {
            waiters.take_all().into_iter().for_each(Waker::wake);
        }
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
    }

    #[test]
    fn a_subscriber_that_left_is_not_woken_and_frees_its_seat() {
        let mut waiters = Waiters::default();
        let (mut leaving, mut staying, mut coming) = (None, None, None);
        waiters.wait(&mut leaving, Waker::noop());
        waiters.wait(&mut staying, Waker::noop());
        waiters.leave(leaving.unwrap());
        assert_eq!(waiters.take_all().len(), 1);
        waiters.wait(&mut coming, Waker::noop());
        assert_eq!(waiters.seats.len(), 2);
        waiters.leave(staying.unwrap());
        waiters.leave(coming.unwrap());
        assert_eq!(waiters.seats.capacity(), 0);
    }
}
