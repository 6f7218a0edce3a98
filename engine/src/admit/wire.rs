//! A cursor over the protobuf wire format. It borrows, allocates nothing and descends into nothing by itself.

use crate::{Error, Result};

/// Payload of one field, by wire type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64,
    Fixed32,
    Bytes(&'a [u8]),
}

/// Reads the fields of one message from front to back.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Cursor { rest: message }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What was not read yet.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next field's number and payload; `None` at the end of the message.
    #[inline]
    pub(super) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key =
            u32::try_from(self.varint()?).map_err(|_| malformed("a field number above 2^29"))?;
        let number = key >> 3;
        if number == 0 {
            return Err(malformed("field number 0"));
        }
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length)
                    .map_err(|_| malformed("a length above the remaining bytes"))?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Value::Fixed32
            }
            3 | 4 => return Err(malformed("a group")),
            _ => return Err(malformed("an unknown wire type")),
        };
        Ok(Some((number, value)))
    }

    /// Passes the integers that follow under the same field number, and counts them.
    pub(super) fn integers(&mut self, number: u32) -> Result<usize> {
        let mut count = 0;
        while let [key, rest @ ..] = self.rest
            && *key < 0x80
            && u32::from(*key) == number << 3
        {
            self.rest = rest;
            self.varint()?;
            count += 1;
        }
        Ok(count)
    }

    /// A base-128 integer of at most ten bytes and 64 bits.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64> {
        if let [byte @ ..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        if let [low @ 0x80..=0xff, high @ ..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*low & 0x7f) | u64::from(*high) << 7);
        }
        let mut value = 0u64;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(malformed(if self.rest.len() < 10 {
            "a truncated integer"
        } else {
            "an integer of more than 64 bits"
        }))
    }

    /// Passes a key of one byte where it follows.
    #[inline]
    pub(super) fn passes(&mut self, key: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == key => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| malformed("a length above the remaining bytes"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// The error for bytes that are not protobuf.
pub(super) fn malformed(what: &str) -> Error {
    Error::NotOnnx(format!("malformed protobuf, {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>> {
        let mut cursor = Cursor::new(bytes);
        let mut fields = vec![];
        while let Some(field) = cursor.field()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn reads_each_wire_type() {
        let bytes = [
            0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let expected = vec![
            (1, Value::Varint(150)),
            (2, Value::Bytes(b"hi")),
            (3, Value::Fixed32),
            (4, Value::Fixed64),
        ];
        assert_eq!(fields(&bytes), Ok(expected));
    }

    #[test]
    fn passes_integers_of_one_field() {
        let mut cursor = Cursor::new(&[0x08, 1, 0x08, 0x96, 0x01, 0x08, 2, 0x10, 3]);
        assert_eq!(cursor.field(), Ok(Some((1, Value::Varint(1)))));
        assert_eq!(cursor.integers(1), Ok(2));
        assert_eq!(cursor.integers(1), Ok(0));
        assert_eq!(cursor.field(), Ok(Some((2, Value::Varint(3)))));
        assert!(Cursor::new(&[0x08]).integers(1).is_err());
    }

    #[test]
    fn reads_the_largest_integer() {
        let mut bytes = vec![0x08];
        bytes.extend([0xff; 9]);
        bytes.push(1);
        assert_eq!(fields(&bytes), Ok(vec![(1, Value::Varint(u64::MAX))]));
    }

    #[test]
    fn refuses_what_is_not_protobuf() {
        let over_64_bits = [&[0x08][..], &[0xff; 9], &[2]].concat();
        let overlong = [&[0x08][..], &[0x80; 10], &[0]].concat();
        let cases: [&[u8]; 9] = [
            &[0x80],
            &[0x08],
            &[0x0a, 3, 1, 2],
            &[
                0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            &[0x0b],
            &[0x0c],
            &[0x0e, 0],
            &[0x00, 0],
            &[0x1d, 0, 0],
        ];
        for bytes in cases.into_iter().chain([&over_64_bits[..], &overlong]) {
            assert!(
                matches!(fields(bytes), Err(Error::NotOnnx(_))),
                "{bytes:02x?}"
            );
        }
    }
}
