//! Tests of Planets (plugins).
