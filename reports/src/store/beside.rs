//! Processes batches in a separate thread, so that the producer need not wait, or in the producer's own, which
//! takes less processor time in all: nothing moves from one processor's caches to another's.

use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::StoreError;

/// Processes batches in the order in which they are sent.
pub(crate) trait BatchWork: Send + 'static {
    /// The items of a batch.
    type Item: Send + 'static;

    /// Processes a batch.
    ///
    /// # Errors
    /// When something cannot be written; no further batch follows.
    fn work(&mut self, batch: &[Self::Item]) -> Result<(), StoreError>;
}

/// Where batches are processed.
pub(crate) enum Worker<W: BatchWork> {
    /// In the thread of the producer; `None` after an error.
    Here(Option<W>),
    /// In a thread of its own.
    Beside(Beside<W>),
}

impl<W: BatchWork> fmt::Debug for Worker<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl<W: BatchWork> Worker<W> {
    /// Processes a batch, or a copy of it.
    ///
    /// # Errors
    /// The error of this batch or of an earlier one.
    ///
    /// # Panics
    /// When the thread panicked.
    pub(crate) fn write(&mut self, batch: &[W::Item]) -> Result<(), StoreError>
    where
        W::Item: Clone,
    {
        match self {
            Worker::Here(work) => work_here(work, batch),
            Worker::Beside(beside) => {
                let mut copy = beside.used();
                copy.clear();
                copy.extend_from_slice(batch);
                beside.hand_over(copy)
            }
        }
    }

    /// Processes a batch, in whose place there is a processed one afterwards.
    ///
    /// # Errors
    /// As [`Worker::write`].
    ///
    /// # Panics
    /// As [`Worker::write`].
    pub(crate) fn take(&mut self, batch: &mut Vec<W::Item>) -> Result<(), StoreError> {
        match self {
            Worker::Here(work) => work_here(work, batch),
            Worker::Beside(beside) => {
                let used = beside.used();
                beside.hand_over(std::mem::replace(batch, used))
            }
        }
    }

    /// Waits until all batches have been processed.
    ///
    /// # Errors
    /// The error of an earlier batch.
    ///
    /// # Panics
    /// As [`Worker::write`].
    pub(crate) fn join(self) -> Result<W, StoreError> {
        match self {
            Worker::Here(work) => work.ok_or_else(ended_early),
            Worker::Beside(beside) => beside.join(),
        }
    }
}

fn work_here<W: BatchWork>(place: &mut Option<W>, batch: &[W::Item]) -> Result<(), StoreError> {
    let Some(work) = place else {
        return Ok(()); // the error has been returned
    };
    let done = work.work(batch);
    if done.is_err() {
        *place = None;
    }
    done
}

fn ended_early() -> StoreError {
    StoreError::io("record", "the run".as_ref())(io::ErrorKind::Other.into())
}

/// A worker thread. Batches are returned after use, so that their memory can be reused.
pub(crate) struct Beside<W: BatchWork> {
    /// `None` once the last batch has been sent.
    batches: Option<SyncSender<Vec<W::Item>>>,
    used: Receiver<Vec<W::Item>>,
    thread: Option<JoinHandle<Result<W, StoreError>>>,
}

impl<W: BatchWork> fmt::Debug for Beside<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").finish_non_exhaustive()
    }
}

impl<W: BatchWork> Beside<W> {
    /// Starts a thread of this name. At most `waiting` batches wait for it; the sender of another one is
    /// blocked.
    ///
    /// # Errors
    /// When the operating system cannot create a thread.
    pub(crate) fn new(name: &str, work: W, waiting: usize) -> io::Result<Beside<W>> {
        let (batches, waiting) = sync_channel(waiting);
        let (give_back, used) = channel();
        let thread = Builder::new()
            .name(name.to_owned())
            .spawn(move || run(work, &waiting, &give_back))?;
        Ok(Beside {
            batches: Some(batches),
            used,
            thread: Some(thread),
        })
    }

    /// A batch that has been processed, to be reused, or a new one without memory.
    pub(crate) fn used(&self) -> Vec<W::Item> {
        self.used.try_recv().unwrap_or_default()
    }

    /// Sends a batch; blocks while too many are waiting.
    ///
    /// # Errors
    /// The error of an earlier batch.
    ///
    /// # Panics
    /// When the thread panicked.
    pub(crate) fn hand_over(&mut self, batch: Vec<W::Item>) -> Result<(), StoreError> {
        let sent = self.batches.as_ref().map(|batches| batches.send(batch));
        match sent {
            Some(Ok(())) => Ok(()),
            // The thread has ended early.
            _ => self.stop().map(drop),
        }
    }

    /// Waits until all batches have been processed.
    ///
    /// # Errors
    /// The error of the thread.
    ///
    /// # Panics
    /// When the thread panicked.
    pub(crate) fn join(mut self) -> Result<W, StoreError> {
        let work = self.stop()?;
        // A thread that was stopped earlier has already returned its error, and has nothing to
        // return now.
        work.ok_or_else(ended_early)
    }

    fn stop(&mut self) -> Result<Option<W>, StoreError> {
        self.batches = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(done)) => done.map(Some),
            Some(Err(panic)) => resume_unwind(panic),
            None => Ok(None),
        }
    }
}

impl<W: BatchWork> Drop for Beside<W> {
    /// The thread writes nothing after this.
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // The run is abandoned, and its recording with it.
            let _ = thread.join();
        }
    }
}

fn run<W: BatchWork>(
    mut work: W,
    waiting: &Receiver<Vec<W::Item>>,
    give_back: &Sender<Vec<W::Item>>,
) -> Result<W, StoreError> {
    while let Ok(batch) = waiting.recv() {
        work.work(&batch)?;
        // Nobody receives it at the end.
        let _ = give_back.send(batch);
    }
    Ok(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Sum(u64);

    impl BatchWork for Sum {
        type Item = u64;
        fn work(&mut self, batch: &[u64]) -> Result<(), StoreError> {
            assert!(batch != [u64::MAX], "unlucky");
            if batch == [0] {
                return Err(StoreError::BadName("zero".into()));
            }
            self.0 += batch.iter().sum::<u64>();
            Ok(())
        }
    }

    #[test]
    fn all_batches_are_worked_on_in_bounded_memory() {
        let mut beside = Beside::new("sums", Sum::default(), 4).unwrap();
        let mut made = 0;
        for i in 1..=1000 {
            let mut batch = beside.used();
            batch.clear();
            made += usize::from(batch.capacity() == 0);
            batch.push(i);
            beside.hand_over(batch).unwrap();
        }
        assert!(made <= 4 + 2, "{made} batches were made");
        assert_eq!(beside.join().unwrap().0, 500_500);
    }

    #[test]
    fn work_in_the_same_thread_has_the_same_results_and_errors() {
        let mut here = Worker::Here(Some(Sum::default()));
        let mut batch = vec![1, 2, 3];
        here.take(&mut batch).unwrap();
        here.write(&[4]).unwrap();
        assert_eq!(batch, [1, 2, 3], "to be reused");
        assert_eq!(here.join().unwrap().0, 10);
        let mut here = Worker::Here(Some(Sum::default()));
        assert!(matches!(here.write(&[0]), Err(StoreError::BadName(_))));
        assert!(here.write(&[1]).is_ok(), "an error is returned once");
        assert!(here.join().is_err());
    }

    #[test]
    fn an_error_comes_back_to_whoever_hands_over_or_joins() {
        let mut beside = Beside::new("sums", Sum::default(), 4).unwrap();
        beside.hand_over(vec![0]).unwrap();
        assert!(matches!(beside.join(), Err(StoreError::BadName(_))));
        let mut beside = Beside::new("sums", Sum::default(), 4).unwrap();
        let errors = (0..100).filter_map(|_| beside.hand_over(vec![0]).err());
        assert_eq!(errors.count(), 1);
        assert!(beside.join().is_err());
    }

    #[test]
    #[should_panic(expected = "unlucky")]
    fn a_panic_comes_back_too() {
        let mut beside = Beside::new("sums", Sum::default(), 4).unwrap();
        beside.hand_over(vec![u64::MAX]).unwrap();
        let _ = beside.join();
    }
}
