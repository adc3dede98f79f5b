//! Named OAuth integrations, sealed on disk, refreshed once and never lost.
