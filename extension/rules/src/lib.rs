//! Pure rules of OctoPush.
