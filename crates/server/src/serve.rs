//! Puts the house together and keeps its door: listening, accepting, stopping.

use core::sync::atomic::AtomicU64;
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;
use std::{fs, io};

use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep, timeout};
use tower_service::Service;
use tracing::{debug, info, warn};
use visavis_protocol::{Epoch, limits};

use crate::Config;
use crate::admission::Admission;
use crate::assets::Assets;
use crate::driver::{self, QUEUE_FACTS, Request};
use crate::http::{self, Accepted, House};
use crate::hub::{AddressKey, Hub, HubConfig, PeopleConfig, PeopleSecret};
use crate::metrics::Metrics;
use crate::pass_key;
use crate::signature;
use crate::socket::{Capacity, Surroundings};
use crate::store::{Store, StoreError};
use crate::token::TokenRules;

/// Connections that the kernel keeps for us while we are busy: all of a restart's herd.
const BACKLOG: u32 = 4096;
/// How long one HTTP connection may live; then its last answer is finished and it is closed.
/// Keeps readers that never read from staying.
const HTTP_LIFETIME: Duration = Duration::from_secs(120);
/// How long that last answer may take.
const HTTP_LAST_ANSWER: Duration = Duration::from_secs(60);
/// What the process itself takes to end, of [`limits::DRAIN_WITHIN`]: service managers that were told
/// of that time kill at its end.
const LAST_STEPS: Duration = Duration::from_secs(1);
/// How often addresses are forgotten that have nothing open.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The data folder cannot be made.
    #[error("cannot use the data folder")]
    DataDir(#[source] io::Error),
    /// What is kept there cannot be used.
    #[error("cannot use what is kept in the data folder")]
    Store(#[from] StoreError),
    /// The key that passes are made with cannot be read or written.
    #[error("cannot use the key of passes in the data folder")]
    PassKey(#[source] io::Error),
    /// The client's files cannot be read.
    #[error("cannot read the client's files")]
    Assets(#[source] io::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

/// A server that runs.
pub struct Handle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    door: JoinHandle<()>,
}

impl Handle {
    /// Where it listens; with the port that was taken if none was named.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, asks everybody to come back a little later, and waits until they are gone,
    /// a little less than [`limits::DRAIN_WITHIN`] at most.
    pub async fn shutdown(self) {
        // The door holds the other end until it has stopped.
        let _ = self.stop.send(true);
        let _ = self.door.await;
    }
}

/// Starts a server on the current runtime. It accepts when this returns.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(config: Config) -> Result<Handle, ServeError> {
    if let Some(folder) = &config.data_dir {
        fs::create_dir_all(folder).map_err(ServeError::DataDir)?;
    }
    let assets = Assets::open(config.assets.clone()).map_err(ServeError::Assets)?;
    let mut epoch = [0; 16];
    getrandom::fill(&mut epoch).map_err(|_| ServeError::Random)?;
    let listener = listen(config.listen).map_err(|source| ServeError::Listen {
        address: config.listen,
        source,
    })?;
    let address = listener.local_addr().unwrap_or(config.listen);
    let started = Instant::now();
    let metrics = Arc::new(Metrics::default());
    let admission = Admission::new(config.limits.clone());
    let (facts, facts_end) = mpsc::channel(QUEUE_FACTS);
    let (requests, requests_end) = mpsc::channel(16);
    let unix = driver::unix_time();
    let mut store = Store::open(config.data_dir.as_deref())?;
    store.forget_old(unix)?;
    if config.data_dir.is_none() {
        info!("no data folder is set: handles and missed calls are forgotten with this process");
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| ServeError::Random)?;
    let people = PeopleConfig {
        secret: PeopleSecret(secret),
        verify: signature::is_signed,
        directory: store.directory()?,
        is_kept: config.data_dir.is_some(),
        tokens: config.tokens.map(TokenRules::into_tokens),
    };
    let hub = HubConfig {
        people: Some(people),
        pass_key: pass_key::load(config.data_dir.as_deref()).map_err(ServeError::PassKey)?,
        ..config.hub
    };
    let hub = Hub::new(hub, Epoch::from_bytes(epoch), unix);
    tokio::spawn(driver::run(hub, store, started, facts_end, requests_end));
    let house = Arc::new(House {
        assets,
        admission: Arc::clone(&admission),
        metrics: Arc::clone(&metrics),
        metrics_access: config.metrics,
        public_origins: config.public_origins,
        trusted_proxies: config.trusted_proxies,
        requests: requests.clone(),
        sockets: Surroundings {
            facts,
            metrics,
            capacity: Capacity {
                messages: config.limits.queue_messages,
                bytes: config.limits.queue_bytes,
            },
            started,
        },
        next_key: AtomicU64::new(0),
    });
    let (stop, stopped) = watch::channel(false);
    let door = Door {
        listener,
        started,
        admission,
        house,
        requests,
        stopped,
    };
    info!(%address, "listening");
    Ok(Handle {
        address,
        stop,
        door: tokio::spawn(door.keep()),
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A restarted server must not wait for its predecessor's last packets.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

struct Door {
    listener: TcpListener,
    started: Instant,
    admission: Arc<Admission>,
    house: Arc<House>,
    requests: mpsc::Sender<Request>,
    stopped: watch::Receiver<bool>,
}

impl Door {
    async fn keep(mut self) {
        let router = http::router(Arc::clone(&self.house));
        let mut sweep = interval(SWEEP_EVERY);
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.stopped.changed() => break,
                _ = sweep.tick() => {
                    self.admission.sweep(self.started.elapsed());
                    continue;
                }
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.let_in(stream, peer, &router),
                Err(error) => {
                    // Most likely no file descriptors are left; some will be soon.
                    warn!(%error, "cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        if self.requests.send(Request::Drain).await.is_ok() {
            let drained = timeout(limits::DRAIN_WITHIN - LAST_STEPS, self.admission.all_gone()).await;
            info!(in_time = drained.is_ok(), "drained");
        }
    }

    fn let_in(&self, stream: TcpStream, peer: SocketAddr, router: &axum::Router) {
        let proxy = self
            .house
            .trusted_proxies
            .iter()
            .any(|network| network.contains(peer.ip()));
        let address = (!proxy).then(|| AddressKey::from(peer.ip()));
        let (ticket, wait) = match self.admission.admit(self.started.elapsed(), address) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                Metrics::count(&self.house.metrics.refused);
                debug!(?refusal, "refused at the door");
                return;
            }
        };
        let connection = Http {
            stream,
            accepted: Accepted {
                peer,
                ticket: Arc::new(ticket),
            },
            router: router.clone(),
            stopped: self.stopped.clone(),
        };
        tokio::spawn(connection.serve(wait));
    }
}

/// One accepted connection, as long as it speaks HTTP.
struct Http {
    stream: TcpStream,
    accepted: Accepted,
    router: axum::Router,
    stopped: watch::Receiver<bool>,
}

impl Http {
    async fn serve(self, wait: Duration) {
        let Self {
            stream,
            accepted,
            router,
            mut stopped,
        } = self;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "no TCP_NODELAY");
        }
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(accepted.clone());
            router.clone().call(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HTTP_HEAD_WITHIN)
            .max_buf_size(limits::HTTP_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            _ = stopped.wait_for(|stopped| *stopped) => None,
            () = sleep(HTTP_LIFETIME) => None,
        };
        let ended = match ended {
            Some(ended) => Ok(ended),
            None => {
                connection.as_mut().graceful_shutdown();
                timeout(HTTP_LAST_ANSWER, connection).await
            }
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "a connection ended badly"),
            Err(_) => debug!("a reader never read"),
        }
    }
}
