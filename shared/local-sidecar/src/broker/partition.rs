//! Partitions: which one a key belongs to, and where its records stand in the file.

use tokio::sync::watch;

/// A partition has room for this many records, which is 34 years at 1 000 a second.
const OFFSETS: i64 = 1 << 40;

/// One partition of a topic.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) id: i64,
    pub(crate) topic: String,
    pub(crate) number: u16,
    /// The offset that the next record will get; whoever waits for records watches it.
    pub(crate) end: watch::Sender<u64>,
}

impl Partition {
    pub(crate) fn end(&self) -> u64 {
        *self.end.borrow()
    }

    /// The position of an offset.
    pub(crate) fn position(&self, offset: u64) -> i64 {
        let offset = i64::try_from(offset).unwrap_or(i64::MAX).min(OFFSETS - 1);
        self.id * OFFSETS + offset
    }

    /// The last position the partition can have.
    pub(crate) fn last_position(&self) -> i64 {
        self.position(u64::MAX)
    }
}

/// The offset within its partition of a position.
pub(crate) fn offset(position: i64) -> u64 {
    u64::try_from(position.rem_euclid(OFFSETS)).unwrap_or(0)
}

/// The partition of a key, as Dapr's Kafka client hashes: `abs(int32(fnv1a_32(key)) % n)`.
pub(crate) fn of_key(key: &str, partitions: usize) -> usize {
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let count = i32::try_from(partitions).unwrap_or(i32::MAX).max(1);
    let remainder = hash.cast_signed() % count;
    usize::try_from(remainder.unsigned_abs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_like_the_kafka_client_of_dapr() {
        // FNV-1a test vectors: "" 811c9dc5, "a" e40c292c, "foobar" bf9cf968. All three are negative
        // as int32, and the remainder keeps the sign before it is dropped.
        for (key, hash) in [
            ("", 0x811c_9dc5_u32),
            ("a", 0xe40c_292c),
            ("foobar", 0xbf9c_f968),
        ] {
            for partitions in [1_u8, 2, 3, 5, 6, 7] {
                let expected = (hash.cast_signed() % i32::from(partitions)).abs();
                let partition = i32::try_from(of_key(key, usize::from(partitions)));
                assert_eq!(partition.unwrap(), expected, "{key} of {partitions}");
            }
        }
        assert_eq!(of_key("a", 7), 468_965_076 % 7);
        assert_eq!(of_key("anything", 1), 0);
    }

    #[test]
    fn a_position_tells_its_offset() {
        let partition = Partition {
            id: 7,
            topic: "t".to_owned(),
            number: 0,
            end: watch::Sender::new(0),
        };
        assert_eq!(offset(partition.position(0)), 0);
        assert_eq!(offset(partition.position(12_345)), 12_345);
        assert!(partition.last_position() < Partition { id: 8, ..partition }.position(0));
    }
}
