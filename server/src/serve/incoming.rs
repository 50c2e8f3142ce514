//! Connections, at most so many at once: the next one waits in the operating system's queue until one closes.
use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Sleep, sleep},
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// After a failed accept (no file descriptors left, most likely) nothing is accepted for this long.
const PAUSE: Duration = Duration::from_millis(100);

/// A new connection must send something within this long, or it is closed: an idle one would hold room that others need.
const PATIENCE: Duration = Duration::from_secs(10);
/// What counts as something: less than the shortest opening of TLS or of HTTP/2.
const OPENING_BYTES: usize = 16;

/// A connection that gives its room back when it closes.
pub(super) struct Connection {
    stream: TcpStream,
    /// Ticks until the other end has opened the conversation.
    silence: Option<Pin<Box<Sleep>>>,
    received: usize,
    _room: OwnedSemaphorePermit,
}

/// Accepts connections, never more than `most` at once. Ends when the returned stream is dropped.
pub(super) fn connections(listener: TcpListener, most: usize) -> impl Stream<Item = io::Result<Connection>> {
    let room = Arc::new(Semaphore::new(most));
    let (accepted, stream) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let room = tokio::select! {
                room = Arc::clone(&room).acquire_owned() => room,
                () = accepted.closed() => return,
            };
            let Ok(room) = room else { return };
            let connection = tokio::select! {
                connection = listener.accept() => connection,
                () = accepted.closed() => return,
            };
            let stream = match connection {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // Small answers should not wait for more to come; failing at this costs only time.
            let _ = stream.set_nodelay(true);
            if accepted
                .send(Ok(Connection {
                    stream,
                    silence: Some(Box::pin(sleep(PATIENCE))),
                    received: 0,
                    _room: room,
                }))
                .await
                .is_err()
            {
                return;
            }
        }
    });
    ReceiverStream::new(stream)
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.received = self.received.saturating_add(buffer.filled().len() - before);
        if self.received >= OPENING_BYTES {
            self.silence = None;
        }
        let silent = read.is_pending()
            && self.silence.as_mut().is_some_and(|silence| silence.as_mut().poll(context).is_ready());
        if silent { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { read }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
