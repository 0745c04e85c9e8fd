//! Wakes a connection from any thread.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use super::connections::Connections;
use super::context::Context;
use super::event::Token;

/// One connection, which may be gone when it is to be woken.
struct ConnectionWaker {
    connections: Weak<Connections>,
    token: Token,
}

impl Wake for ConnectionWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(connections) = self.connections.upgrade() {
            connections.wake(self.token);
        }
    }
}

/// What wakes the connection of `token`.
pub(super) fn waker_of(context: &Context<'_>, token: Token) -> Waker {
    let connections = Weak::clone(&context.connections);
    Waker::from(Arc::new(ConnectionWaker { connections, token }))
}
