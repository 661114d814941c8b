"""Experiments in playbooks: the step that draws a case's arm, and the check that stages fit what is declared."""

from fairlead.trials.steps import EXPERIMENT, STEPS, check_experiments

__all__ = ["EXPERIMENT", "STEPS", "check_experiments"]
