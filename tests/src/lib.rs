//! Nothing: this package is its tests, which run the built programs.
