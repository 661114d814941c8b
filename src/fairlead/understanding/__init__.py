"""Records to scores: training a lead score, the registry of its versions, and scoring with reasons.

What needs scikit-learn (`training`) or numpy (`predicting`, `documents`) is loaded when it is first used.
"""

from fairlead.understanding.history import History, HistoryBuilder
from fairlead.understanding.intervals import like_this
from fairlead.understanding.registry import (
    ModelLibrary,
    Models,
    NoModels,
    Registered,
    export_model,
    find_model,
    import_model,
    list_models,
    load_model,
    models_key,
    parse_producer,
    register,
    report_of,
    require_name,
    use_model,
)

__all__ = [
    "History",
    "HistoryBuilder",
    "ModelLibrary",
    "Models",
    "NoModels",
    "Registered",
    "export_model",
    "find_model",
    "import_model",
    "like_this",
    "list_models",
    "load_model",
    "models_key",
    "parse_producer",
    "register",
    "report_of",
    "require_name",
    "use_model",
]
