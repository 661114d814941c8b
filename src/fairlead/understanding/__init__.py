"""Records to scores, and words to wishes: a lead score with its versions and reasons, and opt-outs in any wording.

What needs scikit-learn (`training`) or numpy (`predicting`, `documents`) is loaded when it is first used.
"""

from fairlead.understanding.exchange import export_model, import_model
from fairlead.understanding.history import History, HistoryBuilder
from fairlead.understanding.intervals import like_this
from fairlead.understanding.library import ModelLibrary, Models, NoModels, load_model
from fairlead.understanding.opt_outs import Keyword, OptOut, Scope, read_keyword, read_opt_out
from fairlead.understanding.registry import (
    Registered,
    find_model,
    list_models,
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
    "Keyword",
    "ModelLibrary",
    "Models",
    "NoModels",
    "OptOut",
    "Registered",
    "Scope",
    "export_model",
    "find_model",
    "import_model",
    "like_this",
    "list_models",
    "load_model",
    "models_key",
    "parse_producer",
    "read_keyword",
    "read_opt_out",
    "register",
    "report_of",
    "require_name",
    "use_model",
]
