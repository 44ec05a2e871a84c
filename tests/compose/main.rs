//! What only containers can show: that each may be restarted under load, and nothing is lost or doubled.

mod restarts;
