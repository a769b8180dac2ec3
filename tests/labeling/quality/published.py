"""Published data with published answers, shared by the tests of this folder."""

import csv
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", data A: binary, two observers; alpha = 0.095.
KRIPPENDORFF_A = ["0100000010", "1110010000"]
# Data B: nominal, two observers; alpha = 0.692.
KRIPPENDORFF_B = ["aabbdcccedda", "babbbccceddd"]
# Data C: nominal, four observers, missing values; alpha = 0.743. Gwet (2014), table of four raters: AC1 = 0.77544.
KRIPPENDORFF_C = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]

# Fleiss (1971), table 1: 30 patients, 6 psychiatrists (in no order), 5 diagnoses; kappa = 0.430.
FLEISS_1971 = [
    "444444", "222555", "233335", "555555", "222444", "113333", "333355", "113334", "114444", "555555",
    "144444", "124444", "222333", "144444", "224445", "333335", "111455", "111112", "224444", "133555",
    "555555", "244444", "224555", "114444", "144445", "222224", "111155", "224444", "133333", "555555",
]  # fmt: skip

# Hayes & Krippendorff (2007), "Answering the Call for a Standard Reliability Measure for Coding Data", table 1: tone
# of 40 newspaper articles, five observers, missing values; nominal alpha = 0.477.
HAYES_KRIPPENDORFF_2007 = [
    "112.001122.01311211000201001111223222221",
    "1130000.21102311121000302102111122222221",
    "203000222100221123001.30.1012202.2232.21",
    ".13....0.10022...31.103021122..122...12.",
    "2..0001.2....3112..0.0..2.0..20.2.2222.1",
]

# Feinstein & Cicchetti (1990), "High agreement but low kappa I": both 85 % agreement, (yes-yes, yes-no, no-yes, no-no).
BALANCED, SKEWED = (40, 9, 6, 45), (80, 10, 5, 5)


def long_form(by_observer):
    """Items, raters and values of the answers given, observers in rows; a dot is a missing value."""
    answers = [
        (item, rater, value) for rater, row in enumerate(by_observer) for item, value in enumerate(row) if value != "."
    ]
    items, raters, values = zip(*answers, strict=True)
    return np.array(items), np.array(raters), np.array(values)


def one_hot(values):
    """Each category a label: (n_judgments, n_categories) of 0 and 1."""
    return (values[:, None] == np.unique(values)).astype(np.int8)


def homepages():
    """Items, raters, verdicts and topic names of the home-page judgments in data/ (see the README there)."""
    with (HERE / "data" / "homepage_verdicts.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    ticked = [set(row["yes"].split()) for row in rows]
    topics = sorted(set().union(*ticked))
    names = sorted({row["rater"] for row in rows})
    items = np.array([int(row["item"]) for row in rows])
    raters = np.array([names.index(row["rater"]) for row in rows])
    verdicts = np.array([[topic in yes for topic in topics] for yes in ticked], dtype=np.int8)
    return items, raters, names, verdicts, topics


# Dawid & Skene (1979), table 1: 45 patients, 4 grades of fitness for anaesthesia; observer 1 saw each three times.
# One word a patient: the three grades of observer 1, then those of observers 2 to 5.
DAWID_SKENE_1979 = [
    "1111111", "3334334", "1122122", "2223121", "2223222", "2223322", "1222111", "3333433", "2222223", "2322223",
    "4444444", "2223343", "1111111", "2223212", "1211111", "1112111", "1111111", "1111111", "2222221", "2221322",
    "2222222", "2222221", "2223222", "2212222", "1111111", "1111111", "2322222", "1111111", "1111111", "1121121",
    "1111111", "3333233", "1111111", "2222222", "2223232", "4334343", "2212232", "2323233", "3333432", "1111111",
    "1111111", "1212111", "2322222", "1211111", "2222222",
]  # fmt: skip


def anaesthetists():
    """Items, raters and grades (1 to 4) of DAWID_SKENE_1979 in long form; rater 0 three times an item."""
    answers = [
        (item, rater, int(grade))
        for item, said in enumerate(DAWID_SKENE_1979)
        for rater, grade in zip((0, 0, 0, 1, 2, 3, 4), said, strict=True)
    ]
    return tuple(np.array(column) for column in zip(*answers, strict=True))
