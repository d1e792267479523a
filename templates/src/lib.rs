//! What new projects of Kokoro start from.
