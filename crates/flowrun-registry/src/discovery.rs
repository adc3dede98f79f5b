//! What an issuer publishes about itself, through the registry's own way out: guarded, capped, without redirects (N7).

use std::sync::Arc;

use flowrun_oauth::{DiscoveryError, Settings, discover};

use crate::exchange::TokenExchange;
use crate::inner::Inner;

impl Inner {
    pub(crate) async fn discover(&self, issuer: &str) -> Result<Settings, DiscoveryError> {
        discover(&TokenExchange(Arc::clone(&self.world.client)), issuer).await
    }
}
