//! How the pixels of a NumPy array lie, and how to bring them into our order.

use super::npy::Header;

/// Where the pixels of an array lie.
pub(super) struct Layout {
    /// `[n, channels, height, width]`.
    pub(super) sizes: [usize; 4],
    /// Distance between neighbours along each of these axes, in elements.
    strides: [usize; 4],
}

impl Layout {
    /// Guesses the axes: of the second and the last of four, the smaller one is the channels; three
    /// axes are grey images. None for other arrays, where both are equal, and without any pixel.
    pub(super) fn of(header: &Header) -> Option<Self> {
        let shape = &header.shape;
        let mut strides = vec![1_usize; shape.len()];
        if header.fortran_order {
            for axis in 1..shape.len() {
                strides[axis] = strides[axis - 1].checked_mul(shape[axis - 1])?;
            }
        } else {
            for axis in (1..shape.len()).rev() {
                strides[axis - 1] = strides[axis].checked_mul(shape[axis])?;
            }
        }
        // An axis of its own for the channels that grey images lack.
        let axes = match shape[..] {
            [_, _, _] => [Some(0), None, Some(1), Some(2)],
            [_, second, _, last] if last < second => [Some(0), Some(3), Some(1), Some(2)],
            [_, second, _, last] if second < last => [Some(0), Some(1), Some(2), Some(3)],
            _ => return None,
        };
        let sizes = axes.map(|axis| axis.map_or(1, |axis| shape[axis]));
        (!sizes.contains(&0))
            .then(|| Self { sizes, strides: axes.map(|axis| axis.map_or(0, |axis| strides[axis])) })
    }

    /// Brings pixels into the order `[n, channels, height, width]`.
    pub(super) fn arrange(&self, stored: Vec<u8>) -> Vec<u8> {
        let [n, channels, height, width] = self.sizes;
        let wanted = [channels * height * width, height * width, width, 1];
        if (0..4).all(|axis| self.sizes[axis] == 1 || self.strides[axis] == wanted[axis]) {
            return stored;
        }
        let mut pixels = Vec::with_capacity(stored.len());
        for image in 0..n {
            for channel in 0..channels {
                for row in 0..height {
                    let start =
                        image * self.strides[0] + channel * self.strides[1] + row * self.strides[2];
                    pixels
                        .extend((0..width).map(|column| stored[start + column * self.strides[3]]));
                }
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: &[usize], fortran_order: bool, expected: Option<([usize; 4], &[u8])>) {
        let header = Header { dtype: "|u1".to_owned(), fortran_order, shape: shape.to_vec() };
        let stored = (0..shape.iter().product::<usize>() as u8).collect();
        let arranged = Layout::of(&header).map(|layout| (layout.sizes, layout.arrange(stored)));
        assert_eq!(arranged, expected.map(|(sizes, pixels)| (sizes, pixels.to_vec())));
    }

    #[test]
    fn axes_are_told_by_their_length() {
        check(&[2, 2, 3], false, Some(([2, 1, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])));
        check(&[1, 3, 2, 2], false, Some(([1, 2, 3, 2], &[0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11])));
        check(&[1, 2, 2, 3], false, Some(([1, 2, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])));
        check(&[2, 2, 1, 1], false, Some(([2, 1, 2, 1], &[0, 1, 2, 3])));
    }

    #[test]
    fn the_first_axis_may_be_the_fastest() {
        check(&[2, 2, 3], true, Some(([2, 1, 2, 3], &[0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11])));
    }

    #[test]
    fn other_shapes_are_none() {
        for shape in [&[3][..], &[2, 4], &[2, 3, 3, 3], &[0, 2, 2], &[2, 0, 2], &[1, 1, 2, 2, 2]] {
            check(shape, false, None);
        }
    }
}
