//! AWS Signature Version 4, as a server checks it: from the request that has arrived, written from the public description
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html) and not from Envoy's code.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use simulator::Exchange;

/// What a server at AWS insists on being signed.
const REQUIRED: [&str; 3] = ["host", "x-amz-content-sha256", "x-amz-date"];

/// Checks the signature of a request, its date, the hash of its body, and that it is for Bedrock in us-east-1.
pub fn verify(exchange: &Exchange, id: &str, secret: &str) -> Result<(), String> {
    let header = |name: &str| value(exchange, name).ok_or(format!("no {name}"));
    let authorization = header("authorization")?;
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("another algorithm")?;
    let field = |name: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
        fields.find(|(other, _)| *other == name).map(|(_, value)| value).ok_or(format!("no {name}"))
    };
    let date = header("x-amz-date")?;
    let day = date.get(..8).ok_or("no day")?;
    let scope = format!("{day}/us-east-1/bedrock/aws4_request");
    let credential = field("Credential")?;
    if credential != format!("{id}/{scope}") {
        return Err(format!("another credential or scope: {credential}"));
    }
    let signed: Vec<&str> = field("SignedHeaders")?.split(';').collect();
    if let Some(missing) = REQUIRED.iter().find(|name| !signed.contains(name)) {
        return Err(format!("{missing} is not signed"));
    }
    let hash = hex(&Sha256::digest(&exchange.body));
    if header("x-amz-content-sha256")? != hash {
        return Err(format!("the body's hash is {hash}"));
    }
    let request = canonical(exchange, &signed, &hash)?;
    let expected = signature(&request, &date, &scope, secret);
    match field("Signature")? {
        found if found == expected => Ok(()),
        found => Err(format!("{found} instead of {expected}, for:\n{request}")),
    }
}

/// The request as both sides write it down.
fn canonical(exchange: &Exchange, signed: &[&str], hash: &str) -> Result<String, String> {
    let (path, query) = exchange.path.split_once('?').unwrap_or((&exchange.path, ""));
    let mut parameters: Vec<String> =
        query
            .split('&')
            .filter(|parameter| !parameter.is_empty())
            .map(|parameter| {
                if parameter.contains('=') { parameter.to_owned() } else { format!("{parameter}=") }
            })
            .collect();
    parameters.sort();
    let mut request = format!("{}\n{path}\n{}\n", exchange.method, parameters.join("&"));
    if !signed.is_sorted() {
        return Err(format!("not in order: {signed:?}"));
    }
    for name in signed {
        let value = value(exchange, name).ok_or(format!("{name} is signed, but not there"))?;
        _ = writeln!(request, "{name}:{}", value.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Ok(format!("{request}\n{}\n{hash}", signed.join(";")))
}

fn signature(request: &str, date: &str, scope: &str, secret: &str) -> String {
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(request)));
    let key =
        scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part));
    hex(&mac(&key, &to_sign))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All values of a header, as one.
fn value(exchange: &Exchange, name: &str) -> Option<String> {
    let headers = exchange.headers.iter().filter(|(other, _)| other == name);
    let values: Vec<_> = headers.map(|(_, value)| String::from_utf8_lossy(value)).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// From AWS's own test suite for Signature Version 4: `get-vanilla` and `post-vanilla-query`.
#[test]
fn published_examples_are_signed_alike() {
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let date = "20150830T123600Z";
    let headers = [("host", "example.amazonaws.com"), ("x-amz-date", date)];
    let headers =
        headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    let example = |method: &str, path: &str| {
        let exchange = Exchange {
            method: method.into(),
            path: path.into(),
            headers: headers.clone(),
            ..Exchange::default()
        };
        let request = canonical(&exchange, &["host", "x-amz-date"], NOTHING).expect("a request");
        signature(&request, date, "20150830/us-east-1/service/aws4_request", SECRET)
    };
    assert_eq!(
        example("GET", "/"),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
    assert_eq!(
        example("POST", "/?Param1=value1"),
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"
    );
}
