//! What fake devices give instead of their beeps and clocks: a voice, a face.

/// A voice for a fake microphone: a file with five seconds of something as loud, as deep and as uneven as
/// speech, so that nothing takes it for noise.
#[must_use]
pub fn voice() -> Vec<u8> {
    const RATE: u32 = 48_000;
    const SECONDS: u32 = 5;
    let bytes = 2 * RATE * SECONDS;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // Samples as they are, one channel.
    file.extend([1, 0, 1, 0]);
    file.extend(RATE.to_le_bytes());
    file.extend((2 * RATE).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    let mut phase = 0.0_f64;
    for sample in 0..RATE * SECONDS {
        let time = f64::from(sample) / f64::from(RATE);
        // A pitch that wanders, four syllables a second.
        phase += (140.0 + 40.0 * (time * 5.3).sin()) / f64::from(RATE);
        let syllable = (time * 4.0 * std::f64::consts::PI).sin().abs();
        let tone: f64 = (1..12)
            .map(|harmonic| (std::f64::consts::TAU * phase * f64::from(harmonic)).sin() / f64::from(harmonic))
            .sum();
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let value = (tone * syllable * 9_000.0) as i16;
        file.extend(value.to_le_bytes());
    }
    file
}

/// Size of a picture.
const WIDTH: u16 = 640;
const HEIGHT: u16 = 360;

/// Red, green and blue, 0 to 1.
type Colour = [f64; 3];

/// Who sits there: the room behind, clothes, skin, hair; and how far hair comes down at the sides.
const SITTERS: [([Colour; 2], Colour, Colour, Colour, f64); 4] = [
    (
        [[0.83, 0.89, 0.87], [0.55, 0.68, 0.66]],
        [0.16, 0.33, 0.38],
        [0.87, 0.68, 0.55],
        [0.26, 0.17, 0.12],
        0.30,
    ),
    (
        [[0.90, 0.84, 0.75], [0.72, 0.59, 0.45]],
        [0.72, 0.31, 0.24],
        [0.55, 0.36, 0.26],
        [0.10, 0.08, 0.08],
        0.02,
    ),
    (
        [[0.78, 0.81, 0.90], [0.48, 0.53, 0.70]],
        [0.93, 0.91, 0.86],
        [0.95, 0.79, 0.69],
        [0.74, 0.52, 0.26],
        0.44,
    ),
    (
        [[0.86, 0.83, 0.89], [0.58, 0.51, 0.65]],
        [0.22, 0.24, 0.42],
        [0.72, 0.50, 0.36],
        [0.17, 0.13, 0.15],
        0.05,
    ),
];

/// A camera's film of somebody who sits still, as a file (YUV4MPEG2) of one picture that is shown again and
/// again. For pictures of calls: no two people look alike, and one sees who is mirrored.
#[must_use]
pub fn face(number: u8, frames_per_second: u32) -> Vec<u8> {
    let mut file =
        format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F{frames_per_second}:1 Ip A1:1 C420jpeg\nFRAME\n").into_bytes();
    let sitter = usize::from(number) % SITTERS.len();
    let colour_at = |x: u16, y: u16| colour(sitter, f64::from(x), f64::from(y));
    let byte = |value: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates"
        )]
        let byte = (value * 255.0).round() as u8;
        byte
    };
    let luma = |[red, green, blue]: Colour| 0.299 * red + 0.587 * green + 0.114 * blue;
    for y in 0..HEIGHT {
        file.extend((0..WIDTH).map(|x| byte(luma(colour_at(x, y)))));
    }
    for (part, scale) in [(2, 1.772), (0, 1.402)] {
        for y in (0..HEIGHT).step_by(2) {
            file.extend((0..WIDTH).step_by(2).map(|x| {
                let colour = colour_at(x, y);
                byte(0.5 + (colour[part] - luma(colour)) / scale)
            }));
        }
    }
    file
}

/// The colour of a point, in pixels.
fn colour(sitter: usize, x: f64, y: f64) -> Colour {
    let ([near, far], clothes, skin, hair, length) = SITTERS[sitter];
    // The height is 1, and the middle of the picture 0.
    let (x, y) = (
        (x - f64::from(WIDTH) / 2.0) / f64::from(HEIGHT),
        y / f64::from(HEIGHT),
    );
    // Light falls in from one side.
    let light = (0.5 + 0.35 * x - 0.25 * (y - 0.5)).clamp(0.0, 1.0);
    let mut colour = mix(far, near, light);
    // How far a point lies within an ellipse, and a bit of softness at its edge.
    let within = |centre: (f64, f64), size: (f64, f64)| {
        let far = ((x - centre.0) / size.0).hypot((y - centre.1) / size.1);
        ((1.0 - far) * size.0 * 120.0 + 0.5).clamp(0.0, 1.0)
    };
    let shade = |colour: Colour, by: f64| colour.map(|part| part * by);
    let lean = 0.02;
    colour = mix(
        colour,
        hair,
        within((lean, 0.45 + length / 2.0), (0.185, 0.21 + length / 2.0)),
    );
    colour = mix(colour, clothes, within((0.0, 1.12), (0.42, 0.42)));
    colour = mix(
        colour,
        shade(skin, 0.84),
        within((lean / 2.0, 0.68), (0.075, 0.13)),
    );
    colour = mix(colour, skin, within((lean, 0.47), (0.145, 0.195)));
    // A fringe, eyes, a mouth.
    let fringe = within((lean + 0.02, 0.31), (0.165, 0.095)) * within((lean, 0.45), (0.165, 0.215));
    colour = mix(colour, hair, fringe);
    for side in [-0.055, 0.055] {
        colour = mix(
            colour,
            shade(hair, 0.5),
            within((lean + side, 0.46), (0.013, 0.013)),
        );
    }
    let smile = within((lean, 0.545), (0.06, 0.035)) * (1.0 - within((lean, 0.525), (0.075, 0.038)));
    mix(colour, shade(skin, 0.55), smile)
}

fn mix(from: Colour, to: Colour, share: f64) -> Colour {
    core::array::from_fn(|part| from[part] + (to[part] - from[part]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_one_whole_picture() {
        let file = face(0, 20);
        let header = file.iter().position(|byte| *byte == b'\n').unwrap() + 1 + b"FRAME\n".len();
        let points = usize::from(WIDTH) * usize::from(HEIGHT);
        assert_eq!(file.len() - header, points * 3 / 2);
        assert_ne!(file, face(1, 20));
    }
}
