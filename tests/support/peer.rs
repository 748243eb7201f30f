//! A peer on loopback that says any bytes in any rhythm, the same to every connection.

use super::{Port, ms, pause};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::Duration,
};

/// One step of what it says.
#[derive(Clone, Debug)]
pub enum Say {
    Bytes(Vec<u8>),
    /// These, until the other side has gone.
    ForEver(Vec<u8>, Duration),
    Pause(Duration),
    /// Nothing more; the connection stays open until the other side has gone.
    Hold,
}

/// One that listens. Dropped, it refuses.
pub struct Peer {
    port: Arc<Port>,
    over: Arc<AtomicBool>,
    met: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Reads the head of each request, then says this and closes.
    pub fn start(script: Vec<Say>) -> Self {
        let (port, over) = (Arc::new(Port::reserve()), Arc::new(AtomicBool::new(false)));
        let (met, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        port.listen();
        let mut peer = Self { port, over, met, asked, thread: None };
        let (port, over) = (Arc::clone(&peer.port), Arc::clone(&peer.over));
        let (met, asked) = (Arc::clone(&peer.met), Arc::clone(&peer.asked));
        peer.thread = Some(std::thread::spawn(move || {
            while !over.load(SeqCst) {
                let Some(stream) = port.accept(ms(1)) else { continue };
                met.fetch_add(1, SeqCst);
                let (script, over, asked) = (script.clone(), Arc::clone(&over), Arc::clone(&asked));
                std::thread::spawn(move || meet(stream, &script, &over, &asked));
            }
        }));
        peer
    }

    pub fn number(&self) -> u16 {
        self.port.number()
    }

    /// How many connections it has had.
    pub fn met(&self) -> usize {
        self.met.load(SeqCst)
    }

    /// How many whole requests.
    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.over.store(true, SeqCst);
        self.thread.take().into_iter().for_each(|thread| _ = thread.join());
        self.port.refuse();
    }
}

fn meet(mut stream: TcpStream, script: &[Say], over: &AtomicBool, asked: &AtomicUsize) {
    let _ = stream.set_read_timeout(Some(ms(20)));
    let _ = stream.set_write_timeout(Some(ms(200)));
    let _ = stream.set_nodelay(true);
    let (mut head, mut buffer) = (vec![], [0; 1024]);
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => head.extend_from_slice(&buffer[..n]),
            Err(_) if over.load(SeqCst) => return,
            Err(_) => {}
        }
    }
    asked.fetch_add(1, SeqCst);
    for say in script {
        match say {
            Say::Bytes(bytes) => {
                if stream.write_all(bytes).is_err() {
                    return;
                }
            }
            Say::ForEver(bytes, step) => {
                while !over.load(SeqCst) && stream.write_all(bytes).is_ok() {
                    if !step.is_zero() {
                        pause(*step);
                    }
                }
                return;
            }
            Say::Pause(time) => pause(*time),
            Say::Hold => {
                while !over.load(SeqCst) && !matches!(stream.read(&mut buffer), Ok(0)) {}
                return;
            }
        }
    }
}
