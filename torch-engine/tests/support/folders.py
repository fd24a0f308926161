"""Model folders for tests: a few parameters, every member of the configuration in the test's hand."""

import json
from pathlib import Path

from whetstone_engine.trainer import Snapshot, Trainer
from whetstone_engine.weights import Model, read_model

TINY = {
    "model_type": "llama",
    "vocab_size": 11,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
}


class FolderMaker:
    """Writes folders with a configuration and no weights."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0

    def __call__(self, *, generation=None, **members) -> Path:
        self.count += 1
        folder = self.root / f"model-{self.count}"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({**TINY, **members}))
        if generation is not None:
            (folder / "generation_config.json").write_text(json.dumps(generation))
        return folder

    def model(self, *, seed=1, precision="fp32", **members) -> Model:
        return read_model({"kind": "folder", "path": str(self(**members)), "seed": seed}, precision)

    def trainer(self, **members) -> Trainer:
        return Trainer(self.model(**members))

    def snapshot(self, **members) -> Snapshot:
        return self.trainer(**members).snapshot()
