//! Builds the guide, and runs what it shows.
