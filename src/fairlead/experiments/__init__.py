"""Experiments: who is drawn into what, by the workspace's own seed, so that a draw never changes."""

from fairlead.experiments.drawing import draws_of, enrol
from fairlead.experiments.holdouts import HELD_OUT, HOLDOUT, WRITTEN_TO, contact_holdout, held_out
from fairlead.experiments.model import Arm, Draw, Experiment, Unit, arm_of
from fairlead.experiments.ratio import ALARM_P, RatioCheck, Verdict, check_all, check_ratio, least_units
from fairlead.experiments.reading import (
    ArmFigures,
    ExperimentFigures,
    VersionFigures,
    experiment_named,
    experiments,
)
from fairlead.experiments.seeds import ensure_seed, seed_of

__all__ = [
    "ALARM_P",
    "HELD_OUT",
    "HOLDOUT",
    "WRITTEN_TO",
    "Arm",
    "ArmFigures",
    "Draw",
    "Experiment",
    "ExperimentFigures",
    "RatioCheck",
    "Unit",
    "Verdict",
    "VersionFigures",
    "arm_of",
    "check_all",
    "check_ratio",
    "contact_holdout",
    "draws_of",
    "enrol",
    "ensure_seed",
    "experiment_named",
    "experiments",
    "held_out",
    "least_units",
    "seed_of",
]
