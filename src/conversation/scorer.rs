//! A small linear model over character n-grams, words and concepts, trained at start from the intents' own examples:
//! it reads wording that no keyword foresaw. Deterministic: the same files give the same model. Must never be the
//! only judge of a merchant's own phrases.

use super::lexicon::{self, Token};
pub use crate::text::script::Script;

/// Rows of the weight table: features are hashed into them.
const BITS: u32 = 16;
const ROWS: usize = 1 << BITS;
/// Characters that are looked at: a question stands in the first lines.
const LOOKED_AT: usize = 240;
const EPOCHS: u32 = 12;
const RATE: f32 = 0.7;
/// This share of an example's features is hidden while learning, others each time: no single word may decide.
const HIDDEN: f32 = 0.6;

/// The largest weight that is kept, as a share of the largest learnt.
const CUT: f32 = 0.5;

/// What one message looks like: hashed features.
#[derive(Debug, Clone, Default)]
pub struct Features(pub Vec<u32>);

impl Features {
    /// Features of prepared text; `hits` are the intents whose keywords were seen, by class.
    pub fn of(script: Script, prepared: &str, hits: &[usize]) -> Self {
        let mut features = Vec::with_capacity(256);
        let cut = prepared.char_indices().nth(LOOKED_AT).map_or(prepared.len(), |(at, _)| at);
        let text = &prepared[..cut];
        let mut tokens: Vec<Token> = Vec::with_capacity(64);
        match script {
            Script::Han => {
                if let Some(lexicon) = lexicon::chinese() {
                    lexicon.tokens(text, &mut tokens);
                }
                han_surface(text, &mut features);
            }
            Script::Latin => {
                let spaced = lexicon::spaced_words(text);
                if let Some(lexicon) = lexicon::english() {
                    lexicon.tokens(&spaced, &mut tokens);
                }
                latin_surface(&spaced, &mut features);
            }
        }
        sequence(&tokens, &mut features);
        features.push(mix(11, u32::from(text.contains('?')), 0, 0));
        features.push(mix(12, tokens.len().min(12) as u32 / 2, 0, 0));
        features.extend(hits.iter().map(|class| mix(13, *class as u32, 0, 0)));
        features.sort_unstable();
        features.dedup();
        Self(features)
    }
}

fn mix(kind: u32, a: u32, b: u32, c: u32) -> u32 {
    let mut state = 0x9E37_79B9 ^ kind.wrapping_mul(0x85EB_CA6B);
    for value in [a, b, c] {
        state = (state ^ value).wrapping_mul(0xCC9E_2D51);
        state ^= state >> 15;
    }
    state = state.wrapping_mul(0xC2B2_AE35);
    (state ^ (state >> 13)) & (ROWS as u32 - 1)
}

fn han_surface(text: &str, features: &mut Vec<u32>) {
    let mut last = 0;
    for c in text.chars().filter(|c| c.is_alphanumeric() || *c == '#').chain(std::iter::once('\0')) {
        let code = c as u32;
        if code != 0 {
            features.push(mix(1, code, 0, 0));
        }
        features.push(mix(2, last, code, 0));
        last = code;
    }
}

fn latin_surface(spaced: &str, features: &mut Vec<u32>) {
    let mut last = 1;
    for word in spaced.split(' ').filter(|word| !word.is_empty()) {
        let id = lexicon::hash(word);
        features.push(mix(1, id, 0, 0));
        features.push(mix(2, last, id, 0));
        last = id;
        let bytes = word.as_bytes();
        if bytes.len() >= 4 {
            for window in bytes.windows(4) {
                features.push(mix(4, u32::from_le_bytes([window[0], window[1], window[2], window[3]]), 0, 0));
            }
            features.push(mix(5, u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]), 0, 0));
        }
    }
    features.push(mix(2, last, 0, 0));
}

/// n-grams over the tokens, and every pair of concepts whatever stands between.
fn sequence(tokens: &[Token], features: &mut Vec<u32>) {
    let mut padded: Vec<u32> = Vec::with_capacity(tokens.len() + 2);
    padded.push(0);
    padded.extend(tokens.iter().map(|token| token.id));
    padded.push(0);
    for (at, id) in padded.iter().enumerate() {
        features.push(mix(6, *id, 0, 0));
        if let Some(next) = padded.get(at + 1) {
            features.push(mix(7, *id, *next, 0));
            if let Some(third) = padded.get(at + 2) {
                features.push(mix(9, *id, *third, 0));
            }
        }
    }
    let mut concepts: Vec<u32> = tokens.iter().filter(|token| token.concept).map(|token| token.id).collect();
    concepts.sort_unstable();
    concepts.dedup();
    concepts.truncate(12);
    for (at, first) in concepts.iter().enumerate() {
        for second in &concepts[at + 1..] {
            features.push(mix(10, *first, *second, 0));
        }
    }
}

/// Multinomial logistic regression. Weights in 8 bits: both scripts together stay below 3 MB.
pub struct Scorer {
    /// Weights of a row: the classes, filled up to whole vectors.
    width: usize,
    weights: Vec<i8>,
    bias: Vec<f32>,
    scale: f32,
}

impl Scorer {
    /// Learns from examples: features and class. `classes` is their number.
    pub fn train(classes: usize, examples: &[(Features, usize)]) -> Self {
        let mut weights = vec![0f32; ROWS * classes];
        let mut bias = vec![0f32; classes];
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut random: u64 = 0x5DEE_CE66_D1CE_5EED;
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize
        };
        let hidden = (HIDDEN * 1024.0) as usize;
        let mut shown: Vec<u32> = Vec::new();
        let mut scores = vec![0f32; classes];
        for epoch in 0..EPOCHS {
            for at in (1..order.len()).rev() {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                order.swap(at, (random >> 33) as usize % (at + 1));
            }
            let rate = RATE / (1.0 + 0.25 * epoch as f32);
            for index in &order {
                let (features, class) = &examples[*index];
                shown.clear();
                shown.extend(features.0.iter().copied().filter(|_| next() & 1023 >= hidden));
                let value = unit(shown.len());
                scores.copy_from_slice(&bias);
                for row in &shown {
                    let row = *row as usize * classes;
                    for (score, weight) in scores.iter_mut().zip(&weights[row..row + classes]) {
                        *score += weight * value;
                    }
                }
                softmax(&mut scores);
                for (known, score) in scores.iter_mut().enumerate() {
                    *score -= f32::from(u8::from(known == *class));
                    *score *= rate;
                }
                for (bias, step) in bias.iter_mut().zip(&scores) {
                    *bias -= step * 0.1;
                }
                for row in &shown {
                    let row = *row as usize * classes;
                    for (weight, step) in weights[row..row + classes].iter_mut().zip(&scores) {
                        *weight -= step * value;
                    }
                }
            }
        }
        let largest = weights.iter().fold(1e-6f32, |most, weight| most.max(weight.abs()));
        // The few largest weights are cut, so that the many small ones keep their differences.
        let scale = CUT * largest / f32::from(i8::MAX);
        // `as` stops at the bounds of the type.
        let width = classes.next_multiple_of(8);
        let mut small = vec![0i8; ROWS * width];
        for (small, row) in small.chunks_exact_mut(width).zip(weights.chunks_exact(classes)) {
            for (small, weight) in small.iter_mut().zip(row) {
                *small = (weight / scale).round() as i8;
            }
        }
        Self { width, weights: small, bias, scale }
    }

    /// Probability of each class.
    pub fn score(&self, features: &Features) -> Vec<f32> {
        let mut sums = vec![0i32; self.width];
        for row in &features.0 {
            let row = *row as usize * self.width;
            for (sums, weights) in
                sums.chunks_exact_mut(8).zip(self.weights[row..row + self.width].chunks_exact(8))
            {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += i32::from(*weight);
                }
            }
        }
        let value = unit(features.0.len()) * self.scale;
        let mut scores: Vec<f32> =
            sums.iter().zip(&self.bias).map(|(sum, bias)| *sum as f32 * value + bias).collect();
        softmax(&mut scores);
        scores
    }
}

/// Each message counts alike, however long.
fn unit(features: usize) -> f32 {
    4.0 / (features.max(1) as f32).sqrt()
}

fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}
