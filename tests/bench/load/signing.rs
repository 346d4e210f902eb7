//! RSA signatures with the library that the gateway's TLS signs with.

use crate::Outcome;
use crate::plan::Plan;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::time::Instant;

pub(crate) fn run(plan: &Plan) -> Outcome<Value> {
    let der = PrivatePkcs8KeyDer::from_pem_file(&plan.key)?;
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|error| error.to_string())?;
    let random = SystemRandom::new();
    let mut signature = vec![0; key.public().modulus_len()];
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < plan.time() {
        key.sign(&RSA_PSS_SHA256, &random, b"a handshake", &mut signature).map_err(|_| "cannot sign")?;
        count = count.saturating_add(1);
    }
    let took = begun.elapsed().as_secs_f64();
    Ok(json!({ "signatures": count, "per_second": f64::from(count) / took }))
}
