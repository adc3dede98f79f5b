//! Frames: four bytes of length, the highest first, then that much JSON; 64 KiB at the most.
//!
//! A frame that says it is larger is refused before any of it is read, and each has its time: whoever is at the
//! other end can hold up nobody for longer, nor fill the memory (N9).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// The largest frame, its length not counted.
pub(super) const MOST: usize = 64 * 1024;

/// Why no frame was read or written.
#[derive(Debug)]
pub(super) enum FrameError {
    /// It says it is larger than any may be.
    TooLarge,
    /// It was not complete in time.
    Late,
    /// The other end went away.
    Gone,
}

/// Reads one frame; it may hold a token, so its memory is cleared afterwards.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    limit: Duration,
) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let reading = async {
        let length = from.read_u32().await.map_err(gone)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MOST);
        let mut frame = Zeroizing::new(vec![0; length.ok_or(FrameError::TooLarge)?]);
        from.read_exact(&mut frame).await.map_err(gone)?;
        Ok(frame)
    };
    tokio::time::timeout(limit, reading).await.unwrap_or(Err(FrameError::Late))
}

/// Writes one frame.
pub(super) async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    frame: &[u8],
    limit: Duration,
) -> Result<(), FrameError> {
    let length = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= MOST);
    let length = length.ok_or(FrameError::TooLarge)?;
    let writing = async {
        to.write_u32(length).await.map_err(gone)?;
        to.write_all(frame).await.map_err(gone)?;
        to.flush().await.map_err(gone)
    };
    tokio::time::timeout(limit, writing).await.unwrap_or(Err(FrameError::Late))
}

fn gone(_: io::Error) -> FrameError {
    FrameError::Gone
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_frame_of_the_largest_size_passes_and_a_larger_one_is_not_even_read_n9() {
        let (mut near, mut far) = tokio::io::duplex(2 * MOST);
        write(&mut near, &vec![b'x'; MOST], LIMIT).await.unwrap();
        assert_eq!(read(&mut far, LIMIT).await.unwrap().len(), MOST);
        assert!(matches!(write(&mut near, &vec![b'x'; MOST + 1], LIMIT).await, Err(FrameError::TooLarge)));
        near.write_u32(u32::try_from(MOST).unwrap() + 1).await.unwrap();
        near.write_all(b"left alone").await.unwrap();
        assert!(matches!(read(&mut far, LIMIT).await, Err(FrameError::TooLarge)));
        let mut left = [0; 10];
        far.read_exact(&mut left).await.unwrap();
        assert_eq!(&left, b"left alone");
    }

    #[tokio::test]
    async fn a_frame_that_stops_half_way_is_late_or_gone_n9() {
        let (mut near, mut far) = tokio::io::duplex(64);
        near.write_all(&[0, 0, 0, 9, b'{']).await.unwrap();
        assert!(matches!(read(&mut far, Duration::from_millis(1)).await, Err(FrameError::Late)));
        drop(near);
        assert!(matches!(read(&mut far, LIMIT).await, Err(FrameError::Gone)));
    }
}
