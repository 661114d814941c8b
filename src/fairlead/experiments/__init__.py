"""Experiments: who is drawn into what, by the workspace's own seed, so that a draw never changes."""

from fairlead.experiments.drawing import draws_in_order, draws_of, enrol
from fairlead.experiments.exposing import DRAWN, Given, Meeting, expose, oldest
from fairlead.experiments.holdouts import HELD_OUT, HOLDOUT, WRITTEN_TO, contact_holdout, held_out
from fairlead.experiments.model import Arm, Draw, Experiment, Unit, arm_of
from fairlead.experiments.parsing import FILE as PLANS_FILE, parse_plans
from fairlead.experiments.planning import (
    check_plans,
    deploy_experiments,
    standing_plan,
    standing_plans,
    stop_experiment,
)
from fairlead.experiments.plans import Goal, GoalKind, Plan, PlanState, Standing
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
    "DRAWN",
    "HELD_OUT",
    "HOLDOUT",
    "PLANS_FILE",
    "WRITTEN_TO",
    "Arm",
    "ArmFigures",
    "Draw",
    "Experiment",
    "ExperimentFigures",
    "Given",
    "Goal",
    "GoalKind",
    "Meeting",
    "Plan",
    "PlanState",
    "RatioCheck",
    "Standing",
    "Unit",
    "Verdict",
    "VersionFigures",
    "arm_of",
    "check_all",
    "check_plans",
    "check_ratio",
    "contact_holdout",
    "deploy_experiments",
    "draws_in_order",
    "draws_of",
    "enrol",
    "ensure_seed",
    "experiment_named",
    "experiments",
    "expose",
    "held_out",
    "least_units",
    "oldest",
    "parse_plans",
    "seed_of",
    "standing_plan",
    "standing_plans",
    "stop_experiment",
]
