//! A way to a server on which answers come a byte at a time, until there is hurry.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use pushoff_loadgen::Relay;
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// Between two bytes.
const A_BYTE_TAKES: Duration = Duration::from_millis(1);

/// A relay to `server`; what comes from there is read a byte at a time until there is hurry.
pub(super) async fn slow_relay(server: SocketAddr, hurry: watch::Receiver<bool>) -> Relay {
    Relay::carrying(move |client| carry(client, server, hurry.clone())).await.unwrap()
}

/// Ends when either side does, which ends the other.
async fn carry(mut client: TcpStream, server: SocketAddr, hurry: watch::Receiver<bool>) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // So that what is not read waits at the server and not here.
    socket.set_recv_buffer_size(8 << 10)?;
    let mut server = socket.connect(server).await?;
    client.set_nodelay(true)?;
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
    let ended = tokio::select! {
        asked = copy(&mut from_client, &mut to_server) => asked.map(drop),
        answered = async {
            dribble(&mut from_server, &mut to_client, hurry).await?;
            copy(&mut from_server, &mut to_client).await.map(drop)
        } => answered,
    };
    if ended.is_err() {
        // Handed on as what it is: a proper end would say that there is nothing more to come.
        set_socket_linger(&client, Some(Duration::ZERO))?;
    }
    ended
}

async fn dribble(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut hurry: watch::Receiver<bool>,
) -> io::Result<()> {
    while !*hurry.borrow() {
        to.write_u8(from.read_u8().await?).await?;
        // A change ends the wait, and so does its end.
        drop(timeout(A_BYTE_TAKES, hurry.changed()).await);
    }
    Ok(())
}
