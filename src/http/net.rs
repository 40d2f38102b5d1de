//! The real transport: reqwest over rustls with ring, with bounds on sizes and times.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue};

use super::{Answer, Broken, Request, Response, Transport};
use crate::base::bounds;

/// How long a connection may take until it stands. The time of the whole call holds too.
const CONNECT: Duration = Duration::from_secs(10);

/// A client that follows no redirects, verifies certificates always, decompresses nothing, and retries nothing.
#[derive(Debug, Clone)]
pub struct Net {
    client: reqwest::Client,
    timeout: Duration,
    idle: Duration,
}

impl Net {
    /// `timeout` is for a whole call: what has no answer by then may still be done.
    ///
    /// # Errors
    /// The machine's certificates cannot be used.
    pub fn new(timeout: Duration) -> Result<Self, Broken> {
        // Installed once a process; a second time changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("crossdock/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Broken::NotSent(chain(&error)))?;
        Ok(Net { client, timeout, idle: bounds::ANSWER_IDLE })
    }
}

#[async_trait]
impl Transport for Net {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let answer = request.extensions().get::<Answer>().copied().unwrap_or_else(|| Answer::of(request.method()));
        let mut request = reqwest::Request::try_from(request).map_err(|error| Broken::NotSent(chain(&error)))?;
        // What is compressed may be a thousand times as long as what came.
        request.headers_mut().entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        // It holds from the first byte of the request to the last of the answer.
        *request.timeout_mut() = Some(answer.time(self.timeout));
        let answered = self.client.execute(request).await.map_err(|error| broken(&error))?;
        self.whole(answered, answer).await
    }
}

impl Net {
    /// An answer with all of its body.
    async fn whole(&self, mut answered: reqwest::Response, answer: Answer) -> Result<Response, Broken> {
        let mut response = http::Response::builder().status(answered.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answered.headers());
        }
        let success = answered.status().is_success();
        if success && answered.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Broken::Lost("the answer is compressed, which was not asked for".to_owned()));
        }
        let most = if success { answer.most() } else { bounds::REFUSAL_ANSWER };
        if success && answered.content_length().is_some_and(|length| length > most as u64) {
            return Err(Broken::TooLong(most));
        }
        // In pieces: one buffer that grows would be held twice whenever it grows.
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut length = 0;
        loop {
            let piece = tokio::time::timeout(self.idle, answered.chunk()).await;
            let piece = match piece {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(Broken::Lost(chain(&error))),
                Err(_) => return Err(Broken::Lost(format!("the answer stopped for {} seconds", self.idle.as_secs()))),
            };
            if length + piece.len() > most {
                if success {
                    return Err(Broken::TooLong(most));
                }
                // Its status says what it is; the beginning of its words is enough.
                pieces.push(piece.slice(..most - length));
                break;
            }
            length += piece.len();
            pieces.push(piece);
        }
        let body = if let [one] = &mut pieces[..] { std::mem::take(one) } else { pieces.concat().into() };
        response.body(body).map_err(|error| Broken::Lost(error.to_string()))
    }
}

/// A connection that never stood carried nothing; anything later may have been done.
fn broken(error: &reqwest::Error) -> Broken {
    if error.is_connect() || error.is_builder() { Broken::NotSent(chain(error)) } else { Broken::Lost(chain(error)) }
}

/// An error with its causes; never its URL, which may hold what is secret.
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "it took too long".to_owned() } else { "the connection failed".to_owned() };
    let mut cause = error.source();
    while let Some(found) = cause {
        text = format!("{text}: {found}");
        cause = found.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers with a head, and then one piece again and again, with a pause before each, for ever.
    async fn endless(head: &'static str, piece: Vec<u8>, pause: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let piece = piece.clone();
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    let _ = stream.read(&mut buffer).await;
                    let _ = stream.write_all(head.as_bytes()).await;
                    while stream.write_all(&piece).await.is_ok() {
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        url
    }

    fn net(timeout: u64, idle: u64) -> Net {
        Net { timeout: Duration::from_millis(timeout), idle: Duration::from_millis(idle), ..Net::new(Duration::from_secs(1)).unwrap() }
    }

    fn get(url: &str, answer: Answer) -> Request {
        http::Request::get(url).extension(answer).body(Bytes::new()).unwrap()
    }

    const CLOSES: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn an_endless_answer_ends_at_the_size_of_its_kind() {
        let url = endless(CLOSES, vec![b'['; 64 << 10], Duration::ZERO).await;
        let kinds = [
            (Answer::SignIn, bounds::SIGN_IN_ANSWER),
            (Answer::Read, bounds::READ_ANSWER),
            (Answer::Write, bounds::WRITE_ANSWER),
            (Answer::Echo(1 << 20), (3 << 20) + bounds::ECHO_ANSWER),
        ];
        for (kind, most) in kinds {
            assert_eq!(net(60_000, 20_000).send(get(&url, kind)).await.unwrap_err(), Broken::TooLong(most), "{kind:?}");
        }
        let post = http::Request::post(&url).body(Bytes::new()).unwrap();
        assert_eq!(net(60_000, 20_000).send(post).await.unwrap_err(), Broken::TooLong(bounds::WRITE_ANSWER));
    }

    #[tokio::test]
    async fn a_length_beyond_the_bound_is_refused_before_its_body() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        let url = endless(head, vec![b'x'; 16], Duration::from_secs(3)).await;
        let begun = Instant::now();
        assert_eq!(net(60_000, 20_000).send(get(&url, Answer::Read)).await.unwrap_err(), Broken::TooLong(bounds::READ_ANSWER));
        assert!(begun.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_refusal_keeps_its_status_however_long_its_words() {
        let url = endless("HTTP/1.1 503 Away\r\nconnection: close\r\n\r\n", vec![b'x'; 4096], Duration::ZERO).await;
        let answer = net(60_000, 20_000).send(get(&url, Answer::Read)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().len()), (503, bounds::REFUSAL_ANSWER));
    }

    #[tokio::test]
    async fn an_answer_that_stops_or_drips_is_ended() {
        for (pause, timeout, idle) in [(60_000, 60_000, 200), (50, 500, 60_000)] {
            let url = endless(CLOSES, vec![b'x'; 1], Duration::from_millis(pause)).await;
            let begun = Instant::now();
            let broken = net(timeout, idle).send(get(&url, Answer::Read)).await.unwrap_err();
            assert!(matches!(broken, Broken::Lost(_)), "{broken:?}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    }

    #[tokio::test]
    async fn an_endless_head_is_ended() {
        for head in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx: "] {
            for piece in [b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".to_vec(), vec![b'y'; 4096]] {
                let url = endless(head, piece, Duration::ZERO).await;
                let begun = Instant::now();
                assert!(net(5_000, 60_000).send(get(&url, Answer::Read)).await.is_err());
                assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
            }
        }
        // Answers before the answer, for ever.
        let url = endless("", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), Duration::ZERO).await;
        assert!(net(1_000, 60_000).send(get(&url, Answer::Read)).await.is_err());
    }

    #[test]
    fn a_sign_in_has_less_time() {
        let usual = bounds::CALL_TIME;
        assert_eq!(Answer::SignIn.time(usual), bounds::SIGN_IN_TIME);
        assert_eq!(Answer::Upload.time(usual), bounds::BULK_TIME);
        assert_eq!((Answer::Read.time(usual), Answer::Write.time(usual)), (usual, usual));
    }

    #[tokio::test]
    async fn a_compressed_answer_is_not_taken() {
        let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n";
        let url = endless(head, vec![b'x'; 16], Duration::ZERO).await;
        let broken = net(60_000, 20_000).send(get(&url, Answer::Read)).await.unwrap_err();
        assert!(broken.to_string().contains("compressed"), "{broken}");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = elsewhere.local_addr().unwrap();
        let head: &'static str = Box::leak(format!("HTTP/1.1 307 Moved\r\nlocation: http://{there}/\r\ncontent-length: 0\r\n\r\n").into_boxed_str());
        let url = endless(head, Vec::new(), Duration::from_secs(60)).await;
        assert_eq!(net(5_000, 5_000).send(get(&url, Answer::Read)).await.unwrap().status(), 307);
        assert!(tokio::time::timeout(Duration::from_millis(200), elsewhere.accept()).await.is_err(), "it was followed");
    }
}
