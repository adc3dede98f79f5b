//! One bounded, guarded HTTP exchange, and the request settings both HTTP steps share.
