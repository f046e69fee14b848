//! Puts the house together and keeps its door: listening, accepting, stopping.

use core::sync::atomic::AtomicU64;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

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
use crate::admission::{Admission, Ticket};
use crate::assets::Assets;
use crate::config::Origin;
use crate::driver::{self, QUEUE_FACTS, Request};
use crate::http::{self, Accepted, House};
use crate::hub::{
    AddressKey, AppointmentsConfig, Hub, HubConfig, LinkSigner, Links, PeopleConfig, PeopleSecret,
};
use crate::lan;
use crate::links::{LinksError, Signer};
use crate::metrics::Metrics;
use crate::operator::Office;
use crate::pass_key;
use crate::private;
use crate::signature;
use crate::socket::{Capacity, Surroundings};
use crate::store::{Store, StoreError};
use crate::tls::{Tls, TlsError, Wire};
use crate::token::TokenRules;

/// Connections that the kernel keeps for us while we are busy: all of a restart's herd.
const BACKLOG: u32 = 4096;
/// How long one HTTP connection may live; then its last answer is finished and it is closed.
/// Keeps readers that never read from staying.
const HTTP_LIFETIME: Duration = Duration::from_secs(120);
/// How long that last answer may take.
const HTTP_LAST_ANSWER: Duration = Duration::from_secs(60);
/// From the first word of a connection to the end of its TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
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
    /// The keys of links cannot be used.
    #[error(transparent)]
    Links(#[from] LinksError),
    /// What TLS needs cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
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
    redirect: Option<SocketAddr>,
    origins: Vec<Origin>,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
    broken: watch::Receiver<Option<Arc<StoreError>>>,
    door: JoinHandle<()>,
}

impl Handle {
    /// Where it listens; with the port that was taken if none was named.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where plain HTTP only leads to HTTPS, besides.
    #[must_use]
    pub const fn redirect_addr(&self) -> Option<SocketAddr> {
        self.redirect
    }

    /// Where a person on this machine opens it.
    #[must_use]
    pub fn origin(&self) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        let local = if ip.is_unspecified() {
            format!("localhost:{port}")
        } else {
            self.address.to_string()
        };
        let Some(tls) = &self.tls else {
            return format!("http://{local}");
        };
        let named = if tls.authority().is_some() {
            Origin::of(true, &local)
        } else {
            let public = self.origins.iter().find(|origin| origin.is_secure()).cloned();
            public.or_else(|| Origin::of(true, &format!("{}:{port}", tls.name()?)))
        };
        named.map_or_else(|| format!("https://{local}"), |origin| origin.to_string())
    }

    /// Where others on the network open it, if they can.
    #[must_use]
    pub fn lan(&self) -> Option<SocketAddr> {
        let address = match &self.tls {
            Some(tls) => tls.lan()?,
            None => lan::address(self.address.ip())?,
        };
        Some(SocketAddr::new(address, self.address.port()))
    }

    /// Whether people have to be told to trust an authority of ours.
    #[must_use]
    pub fn has_local_authority(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.authority().is_some())
    }

    /// Reads certificate and key again. What cannot be used is logged, and the former one stays.
    pub fn reload(&self) {
        match &self.tls {
            Some(tls) => tls.reload(),
            None => info!("there is no certificate to read again"),
        }
    }

    /// Waits until the server cannot go on, because something cannot be written down; for ever while it can.
    /// It says nothing more to anybody then, and the process is to end: what was written is there for the next one.
    pub fn broken(&self) -> impl Future<Output = Arc<StoreError>> + use<> {
        let mut broken = self.broken.clone();
        async move {
            loop {
                if let Some(error) = &*broken.borrow_and_update() {
                    return Arc::clone(error);
                }
                if broken.changed().await.is_err() {
                    // It has ended well.
                    return core::future::pending().await;
                }
            }
        }
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
        private::folder(folder).map_err(ServeError::DataDir)?;
    }
    let assets = Assets::open(config.assets.clone()).map_err(ServeError::Assets)?;
    let mut epoch = [0; 16];
    getrandom::fill(&mut epoch).map_err(|_| ServeError::Random)?;
    let listener = listen(config.listen).map_err(|source| ServeError::Listen {
        address: config.listen,
        source,
    })?;
    let address = listener.local_addr().unwrap_or(config.listen);
    let tls = Tls::open(config.tls, config.data_dir.as_ref(), address.ip())?;
    let redirect = match config.http_redirect {
        Some(address) => Some(listen(address).map_err(|source| ServeError::Listen { address, source })?),
        None => None,
    };
    let redirect_address = redirect.as_ref().and_then(|listener| listener.local_addr().ok());
    let started = Instant::now();
    let metrics = Arc::new(Metrics::default());
    let admission = Admission::new(config.limits.clone());
    let (facts, facts_end) = mpsc::channel(QUEUE_FACTS);
    let (requests, requests_end) = mpsc::channel(16);
    let unix = driver::unix_time();
    let mut store = Store::open(config.data_dir.as_deref())?;
    store.forget_old(unix)?;
    if config.data_dir.is_none() {
        info!(
            "no data folder is set: handles, missed calls, appointments and the keys of links are forgotten with this process"
        );
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
    let signer = Arc::new(Signer::open(config.data_dir.as_deref())?);
    let office = config
        .operator_key
        .map(|key| Office::new(key, Arc::clone(&signer)));
    let hub = HubConfig {
        people: Some(people),
        appointments: Some(AppointmentsConfig {
            links: Links(Arc::clone(&signer) as Arc<dyn LinkSigner>),
            kept: store.kept()?,
        }),
        pass_key: pass_key::load(config.data_dir.as_deref()).map_err(ServeError::PassKey)?,
        ..config.hub
    };
    let hub = Hub::new(hub, Epoch::from_bytes(epoch), unix);
    let (breaks, broken) = watch::channel(None);
    tokio::spawn(async move {
        if let Err(error) = driver::run(hub, store, signer, started, facts_end, requests_end).await {
            breaks.send_replace(Some(Arc::new(error)));
        }
    });
    let house = Arc::new(House {
        assets,
        admission: Arc::clone(&admission),
        metrics: Arc::clone(&metrics),
        metrics_access: config.metrics,
        office,
        public_origins: config.public_origins.clone(),
        tls: tls.clone(),
        port: address.port(),
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
    let routers = Routers {
        all: http::router(Arc::clone(&house)),
        insecure: http::insecure_router(Arc::clone(&house)),
    };
    if let Some(listener) = redirect {
        if let Some(address) = redirect_address {
            info!(%address, "leading to https");
        }
        let door = Door {
            listener,
            started,
            admission: Arc::clone(&admission),
            house: Arc::clone(&house),
            routers: routers.clone(),
            entrance: Entrance::Redirect(address.port()),
            stopped: stopped.clone(),
        };
        // It closes with the other one, which waits for the connections of both.
        tokio::spawn(async move { door.keep().await });
    }
    let door = Door {
        listener,
        started,
        admission,
        house,
        routers,
        entrance: tls.clone().map_or(Entrance::Plain, Entrance::Secure),
        stopped,
    };
    info!(%address, "listening");
    Ok(Handle {
        address,
        redirect: redirect_address,
        origins: config.public_origins,
        tls,
        stop,
        broken,
        door: tokio::spawn(door.keep_and_drain(requests)),
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

/// What is spoken behind a door.
#[derive(Clone)]
enum Entrance {
    /// Plain HTTP, and everything is there.
    Plain,
    /// TLS, and everything is there; plain HTTP on the same port leads there.
    Secure(Arc<Tls>),
    /// Plain HTTP that leads to HTTPS at this port.
    Redirect(u16),
}

/// What requests are answered by.
#[derive(Clone)]
struct Routers {
    all: axum::Router,
    insecure: axum::Router,
}

struct Door {
    listener: TcpListener,
    started: Instant,
    admission: Arc<Admission>,
    house: Arc<House>,
    routers: Routers,
    entrance: Entrance,
    stopped: watch::Receiver<bool>,
}

impl Door {
    async fn keep_and_drain(self, requests: mpsc::Sender<Request>) {
        let admission = self.keep().await;
        if requests.send(Request::Drain).await.is_ok() {
            let drained = timeout(limits::DRAIN_WITHIN - LAST_STEPS, admission.all_gone()).await;
            info!(in_time = drained.is_ok(), "drained");
        }
    }

    /// Lets people in until it is to stop; then the door is shut.
    async fn keep(mut self) -> Arc<Admission> {
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
                Ok((stream, peer)) => self.let_in(stream, peer),
                Err(error) => {
                    // Most likely no file descriptors are left; some will be soon.
                    warn!(%error, "cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        self.admission
    }

    fn let_in(&self, stream: TcpStream, peer: SocketAddr) {
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
            peer,
            ticket: Arc::new(ticket),
            address,
            admission: Arc::clone(&self.admission),
            routers: self.routers.clone(),
            entrance: self.entrance.clone(),
            stopped: self.stopped.clone(),
        };
        tokio::spawn(connection.serve(stream, wait));
    }
}

/// One accepted connection, as long as it speaks HTTP.
struct Http {
    peer: SocketAddr,
    ticket: Arc<Ticket>,
    /// Whose limits it counts for; nobody's if a trusted proxy speaks.
    address: Option<AddressKey>,
    admission: Arc<Admission>,
    routers: Routers,
    entrance: Entrance,
    stopped: watch::Receiver<bool>,
}

impl Http {
    async fn serve(mut self, stream: TcpStream, wait: Duration) {
        if !wait.is_zero() {
            sleep(wait).await;
        }
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "no TCP_NODELAY");
        }
        let (wire, https_port) = match self.entrance.clone() {
            Entrance::Plain => (Wire::Plain(stream), None),
            Entrance::Redirect(port) => (Wire::Plain(stream), Some(port)),
            Entrance::Secure(tls) => match self.greet(&tls, stream).await {
                Some(wire) => (wire, None),
                None => return,
            },
        };
        let secure = matches!(wire, Wire::Secure(_));
        let router = match self.entrance {
            Entrance::Plain => self.routers.all,
            Entrance::Secure(_) if secure => self.routers.all,
            Entrance::Secure(_) | Entrance::Redirect(_) => self.routers.insecure,
        };
        let accepted = Accepted {
            peer: self.peer,
            secure,
            https_port,
            ticket: self.ticket,
        };
        speak(wire, router, accepted, self.stopped).await;
    }

    /// Waits for a place among the strangers, then for the handshake, and for neither for long.
    async fn greet(&mut self, tls: &Tls, stream: TcpStream) -> Option<Wire> {
        let handshake = async {
            let _stranger = match self.address {
                Some(address) => Some(self.admission.admit_handshake(address).await),
                None => None,
            };
            tls.greet(stream).await
        };
        let greeted = tokio::select! {
            greeted = timeout(HANDSHAKE_WITHIN, handshake) => greeted,
            _ = self.stopped.wait_for(|stopped| *stopped) => return None,
        };
        match greeted {
            Ok(Ok(wire)) => Some(wire),
            Ok(Err(error)) => {
                debug!(%error, "no handshake");
                None
            }
            Err(_) => {
                debug!("a handshake took too long");
                None
            }
        }
    }
}

/// Answers what is asked over a connection, until it ends or becomes a socket.
async fn speak(wire: Wire, router: axum::Router, accepted: Accepted, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(accepted.clone());
        router.clone().call(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HTTP_HEAD_WITHIN)
        .max_buf_size(limits::HTTP_HEAD_BYTES)
        .serve_connection(TokioIo::new(wire), service)
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
