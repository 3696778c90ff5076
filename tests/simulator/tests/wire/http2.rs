//! HTTP/2 without TLS, as Envoy may speak it upstream.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use simulator::{Account, Fault, Provider, Simulator};
use tokio::net::TcpStream;

#[tokio::test]
async fn many_requests_share_a_connection_and_a_reset_ends_it() {
    let simulator = Simulator::start(vec![Account::new("a", Provider::Anthropic)]).await.unwrap();
    let address = simulator.address("a");
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let mut ask = async |streaming: bool| {
        let messages = json!([{ "role": "user", "content": "hi" }]);
        let body = json!({ "model": "claude-opus-5", "max_tokens": 9, "stream": streaming, "messages": messages });
        let request = Request::post(format!("http://{address}/v1/messages"));
        let request = request.body(Full::<Bytes>::from(body.to_string())).unwrap();
        let response = sender.send_request(request).await?;
        Ok::<_, hyper::Error>((response.status(), response.into_body().collect().await?.to_bytes()))
    };
    assert_eq!(ask(false).await.unwrap().0, 200);
    assert!(ask(true).await.unwrap().1.ends_with(b"\"message_stop\"}\n\n"));
    simulator.fail("a", Fault::CutStream);
    assert!(ask(true).await.is_err());
    simulator.heal("a");
    assert_eq!(ask(false).await.unwrap().0, 200, "the connection lives on");
    simulator.fail("a", Fault::Reset);
    assert!(ask(false).await.is_err());
    assert_eq!(simulator.received("a")[0].header("host"), Some(address.to_string().as_bytes()));
}
