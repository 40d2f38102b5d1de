//! Units of weight and length, with exact factors.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeightUnit {
    Gram,
    Kilogram,
    Ounce,
    Pound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    Millimetre,
    Centimetre,
    Metre,
    Inch,
    Foot,
}

impl WeightUnit {
    /// The unit of a word as an author or a system writes it (`kg`, `ounces`, `lb`).
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().as_str() {
            "g" | "gram" | "grams" => WeightUnit::Gram,
            "kg" | "kilogram" | "kilograms" => WeightUnit::Kilogram,
            "oz" | "ounce" | "ounces" => WeightUnit::Ounce,
            "lb" | "lbs" | "pound" | "pounds" => WeightUnit::Pound,
            _ => return None,
        })
    }

    /// Grams in one of it: exact by the international avoirdupois pound of 1959 (453.59237 g).
    pub fn grams(self) -> Decimal {
        match self {
            WeightUnit::Gram => Decimal::ONE,
            WeightUnit::Kilogram => Decimal::from(1000),
            WeightUnit::Ounce => Decimal::new(28_349_523_125, 9),
            WeightUnit::Pound => Decimal::new(45_359_237, 5),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            WeightUnit::Gram => "g",
            WeightUnit::Kilogram => "kg",
            WeightUnit::Ounce => "oz",
            WeightUnit::Pound => "lb",
        }
    }

    /// Metric units convert into each other without a remainder, and so do the others.
    pub fn is_metric(self) -> bool {
        matches!(self, WeightUnit::Gram | WeightUnit::Kilogram)
    }

    /// `None` where the result needs more than 28 digits.
    pub fn convert(self, amount: Decimal, to: WeightUnit) -> Option<Decimal> {
        if self == to {
            return Some(amount);
        }
        Some(amount.checked_mul(self.grams())?.checked_div(to.grams())?.normalize())
    }
}

impl LengthUnit {
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().as_str() {
            "mm" | "millimetre" | "millimetres" | "millimeter" | "millimeters" => LengthUnit::Millimetre,
            "cm" | "centimetre" | "centimetres" | "centimeter" | "centimeters" => LengthUnit::Centimetre,
            "m" | "metre" | "metres" | "meter" | "meters" => LengthUnit::Metre,
            "inch" | "inches" => LengthUnit::Inch,
            "ft" | "foot" | "feet" => LengthUnit::Foot,
            _ => return None,
        })
    }

    /// Millimetres in one of it: the international inch is 25.4 mm.
    pub fn millimetres(self) -> Decimal {
        match self {
            LengthUnit::Millimetre => Decimal::ONE,
            LengthUnit::Centimetre => Decimal::TEN,
            LengthUnit::Metre => Decimal::from(1000),
            LengthUnit::Inch => Decimal::new(254, 1),
            LengthUnit::Foot => Decimal::new(3048, 1),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            LengthUnit::Millimetre => "mm",
            LengthUnit::Centimetre => "cm",
            LengthUnit::Metre => "m",
            LengthUnit::Inch => "inches",
            LengthUnit::Foot => "ft",
        }
    }

    /// `None` where the result needs more than 28 digits.
    pub fn convert(self, amount: Decimal, to: LengthUnit) -> Option<Decimal> {
        if self == to {
            return Some(amount);
        }
        Some(amount.checked_mul(self.millimetres())?.checked_div(to.millimetres())?.normalize())
    }
}

/// How many seconds a unit of time has, in both of its forms: `hour` and `hours`.
pub fn seconds_of(unit: &str) -> Option<i64> {
    match unit {
        "second" | "seconds" => Some(1),
        "minute" | "minutes" => Some(60),
        "hour" | "hours" => Some(3_600),
        "day" | "days" => Some(86_400),
        "week" | "weeks" => Some(604_800),
        _ => None,
    }
}
