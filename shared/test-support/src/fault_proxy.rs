//! A TCP proxy that misbehaves by command.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What is wrong with the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Every piece of data arrives so much later.
    Delay(Duration),
    /// Open connections are closed, and new ones at once.
    Cut,
    /// Connections stay open, and nothing arrives.
    Blackhole,
}

/// Stands between a client and a server on this machine.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    _serving: DropGuard,
}

impl FaultProxy {
    /// Forwards to `target` until it is dropped.
    pub async fn start(target: SocketAddr) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), target).await
    }

    /// Forwards from this address. Dropping a proxy makes its address refuse connections; another one
    /// started there is the end of that fault.
    pub async fn start_at(address: SocketAddr, target: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("the address");
        let address = listener.local_addr().expect("its address");
        let (fault, faults) = watch::channel(Fault::None);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            stopped
                .run_until_cancelled(accept(listener, target, faults, stopped.clone()))
                .await
        });
        Self {
            address,
            fault,
            _serving: stop.drop_guard(),
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what is wrong, for open connections too.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    faults: watch::Receiver<Fault>,
    stop: CancellationToken,
) {
    while let Ok((client, _)) = listener.accept().await {
        if *faults.borrow() == Fault::Cut {
            continue; // Dropped, and so closed.
        }
        let (faults, stop) = (faults.clone(), stop.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(connect(client, target, faults))
                .await
        });
    }
}

async fn connect(client: TcpStream, target: SocketAddr, faults: watch::Receiver<Fault>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Either end closing ends both: half-open connections are a fault of their own.
    tokio::select! {
        () = forward(from_client, to_server, faults.clone()) => {}
        () = forward(from_server, to_client, faults) => {}
    }
}

/// Forwards one direction until its end, or until it is cut.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut faults: watch::Receiver<Fault>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            _cut = faults.wait_for(|fault| *fault == Fault::Cut) => return,
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        if read == 0 {
            return;
        }
        let fault = *faults.borrow_and_update();
        match fault {
            Fault::None => {}
            Fault::Delay(delay) => tokio::time::sleep(delay).await,
            Fault::Cut => return,
            Fault::Blackhole => {
                // What was swallowed never arrives, so the connection is of no use afterwards.
                let over = faults.wait_for(|fault| *fault != Fault::Blackhole).await;
                drop(over);
                return;
            }
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    const MOMENT: Duration = Duration::from_millis(50);

    /// A server that answers every piece with itself, behind a proxy.
    async fn echo() -> (FaultProxy, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        let proxy = FaultProxy::start(target).await;
        let client = TcpStream::connect(proxy.address()).await.unwrap();
        (proxy, client)
    }

    async fn ask(client: &mut TcpStream) -> std::io::Result<usize> {
        client.write_all(b"?").await?;
        client.read(&mut [0; 8]).await
    }

    #[tokio::test]
    async fn without_a_fault_everything_passes() {
        let (_proxy, mut client) = echo().await;
        assert_eq!(ask(&mut client).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_delay_makes_both_ways_slower() {
        let (proxy, mut client) = echo().await;
        let begun = Instant::now();

        proxy.set(Fault::Delay(MOMENT));
        ask(&mut client).await.unwrap();

        assert!(begun.elapsed() >= 2 * MOMENT);
    }

    #[tokio::test]
    async fn a_cut_closes_open_connections_and_new_ones_until_it_is_mended() {
        let (proxy, mut client) = echo().await;
        ask(&mut client).await.unwrap();

        proxy.set(Fault::Cut);
        assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0);
        let mut second = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(second.read(&mut [0; 8]).await.unwrap_or(0), 0);

        proxy.set(Fault::None);
        let mut third = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut third).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_dropped_proxy_refuses_until_another_one_is_started_there() {
        let (first, _) = echo().await;
        let target = first.address();
        let proxy = FaultProxy::start(target).await;
        let address = proxy.address();
        let mut client = TcpStream::connect(address).await.unwrap();
        ask(&mut client).await.unwrap();

        drop(proxy);
        assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0);
        // The address is free as soon as the runtime has dropped the listener.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }

        let _proxy = FaultProxy::start_at(address, target).await;
        let mut second = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut second).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_blackhole_keeps_the_connection_and_swallows_everything() {
        let (proxy, mut client) = echo().await;

        proxy.set(Fault::Blackhole);

        assert!(timeout(MOMENT, ask(&mut client)).await.is_err());
        proxy.set(Fault::None);
        assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0);
    }
}
