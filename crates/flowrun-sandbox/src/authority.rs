//! A certificate authority made in memory, good for the sandbox's names and for nothing else.
//!
//! Its key is dropped as soon as it has signed the one certificate the listener shows, and name
//! constraints bind it to the listed hosts: whoever trusts it trusts it for those alone.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCertUsingSni;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::StartError;
use crate::hosts::HOSTS;

/// What both ends of a connection need.
pub(crate) struct Authority {
    /// The authority's own certificate.
    pub(crate) certificate: CertificateDer<'static>,
    /// For the listener: shows a certificate for the listed names, and refuses every other.
    pub(crate) server: Arc<ServerConfig>,
    /// For the browser: trusts this authority alone.
    pub(crate) client: Arc<ClientConfig>,
}

impl Authority {
    /// Makes a new authority and its one certificate.
    pub(crate) fn new() -> Result<Self, StartError> {
        let (certificate, leaf, key) = certificates().map_err(StartError::Certificate)?;
        let provider = Arc::new(ring::default_provider());
        let server = server(&provider, vec![leaf, certificate.clone()], key).map_err(StartError::Tls)?;
        let client = client(&provider, certificate.clone()).map_err(StartError::Tls)?;
        Ok(Self { certificate, server: Arc::new(server), client: Arc::new(client) })
    }

    /// The authority's certificate as RFC 7468 writes it.
    pub(crate) fn pem(&self) -> String {
        let text = STANDARD.encode(&self.certificate);
        let lines: Vec<String> =
            text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }
}

type Certificates = (CertificateDer<'static>, CertificateDer<'static>, PrivateKeyDer<'static>);

fn certificates() -> Result<Certificates, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "flowrun sandbox");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let names = HOSTS.iter().map(|host| GeneralSubtree::DnsName((*host).to_owned())).collect();
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: names, excluded_subtrees: Vec::new() });
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);

    let mut params = CertificateParams::new(HOSTS.map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, "flowrun sandbox providers");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, &issuer)?;
    Ok((authority.into(), leaf.into(), PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

fn server(
    provider: &Arc<CryptoProvider>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let shown = CertifiedKey::new(chain, provider.key_provider.load_private_key(key)?);
    let mut by_name = ResolvesServerCertUsingSni::new();
    for host in HOSTS {
        by_name.add(host, shown.clone())?;
    }
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(by_name));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn client(
    provider: &Arc<CryptoProvider>,
    authority: CertificateDer<'static>,
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority)?;
    let config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
