//! The bounded queue between everything that has something to tell a client and the client's socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::Message;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages that may wait for one client, whatever their size.
const MAX_QUEUED_MESSAGES: usize = 4096;

/// The sending side. Never waits: a client that does not keep up is closed and may come back, so that it can neither
/// hold up others nor fill the memory.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::Sender<Message>,
    shared: Arc<Shared>,
}

struct Shared {
    queued_bytes: AtomicUsize,
    max_queued_bytes: usize,
    closed: CancellationToken,
}

/// The side the socket's writer drains.
pub struct Outgoing {
    queue: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
    in_flight: usize,
}

/// A queue whose overflow cancels `closed`.
pub fn channel(max_queued_bytes: usize, closed: CancellationToken) -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::channel(MAX_QUEUED_MESSAGES);
    let shared = Arc::new(Shared {
        queued_bytes: AtomicUsize::new(0),
        max_queued_bytes,
        closed,
    });
    (
        Outbox {
            queue: sender,
            shared: shared.clone(),
        },
        Outgoing {
            queue: receiver,
            shared,
            in_flight: 0,
        },
    )
}

impl Outbox {
    /// Queues `message`, or closes the socket when the queue is full.
    pub fn send(&self, message: Message) {
        let size = size(&message);
        let queued = self.shared.queued_bytes.fetch_add(size, Ordering::Relaxed) + size;
        // One message is always let through, however large: the limit is on what piles up.
        let full = queued > self.shared.max_queued_bytes && queued > size;
        if full || self.queue.try_send(message).is_err() {
            self.shared.queued_bytes.fetch_sub(size, Ordering::Relaxed);
            self.shared.closed.cancel();
        }
    }
}

impl Outgoing {
    /// The next message; the one before it counts as sent.
    pub async fn next(&mut self) -> Option<Message> {
        self.shared
            .queued_bytes
            .fetch_sub(self.in_flight, Ordering::Relaxed);
        self.in_flight = 0;
        let message = self.queue.recv().await?;
        self.in_flight = size(&message);
        Some(message)
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Message {
        Message::Text("x".repeat(length).into())
    }

    #[tokio::test]
    async fn what_is_sent_frees_its_room() {
        let closed = CancellationToken::new();
        let (outbox, mut outgoing) = channel(10, closed.clone());
        for _ in 0..5 {
            outbox.send(text(6));
            assert!(outgoing.next().await.is_some());
            // The message taken counts until the next one is asked for.
            assert_eq!(outgoing.shared.queued_bytes.load(Ordering::Relaxed), 6);
            tokio::select! {
                biased;
                _ = outgoing.next() => panic!("nothing is queued"),
                () = std::future::ready(()) => {}
            }
        }
        assert!(!closed.is_cancelled());
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_closed() {
        let closed = CancellationToken::new();
        let (outbox, _outgoing) = channel(10, closed.clone());
        outbox.send(text(6));
        assert!(!closed.is_cancelled());
        outbox.send(text(6));
        assert!(closed.is_cancelled());
    }

    #[tokio::test]
    async fn the_number_of_messages_is_bounded_too() {
        let closed = CancellationToken::new();
        let (outbox, _outgoing) = channel(usize::MAX, closed.clone());
        for _ in 0..MAX_QUEUED_MESSAGES {
            outbox.send(text(0));
        }
        assert!(!closed.is_cancelled());
        outbox.send(text(0));
        assert!(closed.is_cancelled());
    }

    #[tokio::test]
    async fn one_large_message_passes() {
        let closed = CancellationToken::new();
        let (outbox, mut outgoing) = channel(10, closed.clone());
        outbox.send(text(1000));
        assert!(!closed.is_cancelled());
        assert!(outgoing.next().await.is_some());
    }
}
