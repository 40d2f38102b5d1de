//! The HTTP server: HTTP/1.1 on a socket, with limits on connections, headers and time.
//!
//! There is no HTTP/2, in clear text or otherwise. An idle connection is closed. If too many are open, the one that has been idle longest
//! is closed, so that a client that sends its request at once is answered whatever others hold.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::base::bounds;

/// What is said to a connection that there is no room for.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// How long a connection at the end of its life may still answer what it has begun.
const LAST: Duration = Duration::from_secs(15);

/// How much a server gives to its clients.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at once.
    pub connections: usize,
    /// Until a request's header has arrived, and how long a connection may be idle.
    pub head_time: Duration,
    /// The life of one connection; absent: it may live as long as it is used.
    pub life: Option<Duration>,
}

impl Bounds {
    /// For what strangers can reach.
    pub fn of_door() -> Self {
        // Connections to the systems and the store need descriptors too.
        let connections = descriptors().map_or(bounds::DOOR_CONNECTIONS, |all| bounds::DOOR_CONNECTIONS.min((all / 4).max(4)));
        Bounds { connections, head_time: bounds::DOOR_HEAD_TIME, life: Some(bounds::DOOR_LIFE) }
    }
}

/// How many file descriptors this process may have, where the system tells.
fn descriptors() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

/// A connection that is open.
struct Guest {
    /// Requests of it that are being answered: it is not closed meanwhile.
    answering: Arc<AtomicUsize>,
    task: AbortHandle,
}

/// Open connections, the oldest first.
#[derive(Default)]
struct Guests(VecDeque<Guest>);

impl Guests {
    /// Closes the oldest connection that waits for a request. `false`: there is none.
    fn make_room(&mut self) -> bool {
        let idle = self.0.iter().position(|guest| guest.answering.load(Ordering::Relaxed) == 0);
        idle.and_then(|at| self.0.remove(at)).map(|guest| guest.task.abort()).is_some()
    }
}

/// Answers connections by a router, until the future is dropped.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds) {
    let mut guests = Guests::default();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                guests.0.retain(|guest| !guest.task.is_finished());
                tracing::debug!("a connection could not be accepted: {error}");
                // Out of file descriptors: one that only waits gives its own.
                guests.make_room();
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        guests.0.retain(|guest| !guest.task.is_finished());
        if guests.0.len() >= bounds.connections && !guests.make_room() {
            // What does not fit into the socket's buffer is not waited for.
            let _ = stream.try_write(NO_ROOM);
            continue;
        }
        let answering = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(converse(stream, router.clone(), bounds, Arc::clone(&answering))).abort_handle();
        guests.0.push_back(Guest { answering, task });
    }
}

/// Counts a request for as long as it is being answered, also where the answer is given up.
struct Answering(Arc<AtomicUsize>);

impl Answering {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(count))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn converse(stream: TcpStream, router: Router, bounds: Bounds, answering: Arc<AtomicUsize>) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let (answer, under_way) = (router.call(request), Answering::begin(&answering));
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_buf_size(bounds::DOOR_HEAD)
        .max_headers(bounds::DOOR_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // How a connection ends concerns its client only.
    let Some(life) = bounds.life else {
        let _ = connection.await;
        return;
    };
    tokio::select! {
        _ = connection.as_mut() => {}
        () = tokio::time::sleep(life) => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(LAST, connection).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn listening(bounds: Bounds) -> std::net::SocketAddr {
        let slow = get(|| async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            "slow"
        });
        let router = Router::new().route("/", get(|| async { "here" })).route("/slow", slow);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router, bounds));
        address
    }

    async fn asked(stream: &mut TcpStream, path: &str) -> String {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    }

    fn bounds(connections: usize, head: u64, life: Option<u64>) -> Bounds {
        Bounds { connections, head_time: Duration::from_millis(head), life: life.map(Duration::from_millis) }
    }

    #[tokio::test]
    async fn the_connection_that_waited_longest_makes_room() {
        let address = listening(bounds(2, 10_000, None)).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        let _second = TcpStream::connect(address).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut third = TcpStream::connect(address).await.unwrap();
        assert!(asked(&mut third, "/").await.contains("here"));
        let mut byte = [0];
        assert_eq!(first.read(&mut byte).await.unwrap_or(0), 0, "the oldest is closed");
    }

    #[tokio::test]
    async fn where_all_are_being_answered_there_is_no_room() {
        let address = listening(bounds(1, 10_000, None)).await;
        let busy = tokio::spawn(async move { asked(&mut TcpStream::connect(address).await.unwrap(), "/slow").await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut other = TcpStream::connect(address).await.unwrap();
        let mut text = String::new();
        other.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 503"), "{text}");
        assert!(busy.await.unwrap().contains("slow"));
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_before_and_after_its_first_request() {
        let address = listening(bounds(8, 300, None)).await;
        for asks in [false, true] {
            let mut idle = TcpStream::connect(address).await.unwrap();
            if asks {
                assert!(asked(&mut idle, "/").await.contains("here"));
            }
            let begun = Instant::now();
            let mut rest = Vec::new();
            let _ = idle.read_to_end(&mut rest).await;
            assert!(begun.elapsed() < Duration::from_secs(5), "{asks}: {:?}", begun.elapsed());
        }
    }

    #[tokio::test]
    async fn a_connection_does_not_live_for_ever() {
        let address = listening(bounds(8, 10_000, Some(300))).await;
        let mut busy = TcpStream::connect(address).await.unwrap();
        let begun = Instant::now();
        while asked(&mut busy, "/").await.contains("here") {
            assert!(begun.elapsed() < Duration::from_secs(5), "it is still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn http_2_is_not_spoken() {
        let address = listening(bounds(8, 1_000, None)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 505"), "{text}");
    }
}
