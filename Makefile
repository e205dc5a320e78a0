# Small verbs. Everything they need is installed into .venv; released wheels are cached outside (A2PATCH_CACHE).
PYTHON ?= python3
PYTHON38 ?= python3.8
RELEASE ?= 8.4.190
BIN := .venv/bin
DEMO := .venv/demo

.PHONY: demo test lint patches matrix stock blocks upstream soak-models faults fuzz insertions transplants comparisons windows oldest clean

demo: .venv/ready
	@rm -rf $(DEMO)
	$(BIN)/pip install --quiet --no-deps --no-compile --target $(DEMO)/site-packages ultralytics==$(RELEASE)
	@cp -R $(DEMO)/site-packages $(DEMO)/untouched
	$(BIN)/a2patch apply --ultralytics-path $(DEMO)/site-packages
	$(BIN)/a2patch revert --ultralytics-path $(DEMO)/site-packages
	diff -r $(DEMO)/untouched $(DEMO)/site-packages
	@echo "The tree is as it was, to the byte."

test: .venv/ready
	$(BIN)/pytest --numprocesses auto

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

patches: .venv/ready
	$(BIN)/python -m patches.make

# Every release; half an hour, and as long to fetch them. SAMPLE=60 tries so many, DERIVE=1 as if no versioned diff fitted.
matrix: .venv/ready
	$(BIN)/python -m tests.soak.matrix $(if $(SAMPLE),--sample $(SAMPLE) --out .venv) $(if $(DERIVE),--derive --out .venv/derived)

# Tries every stock model of four releases as a user's own: none may raise an alarm; about twenty minutes.
stock: .venv/ready
	$(BIN)/python -m tests.soak.stock

# Every block that comes with a2patch: checked, inserted and transplanted, in six releases; forty minutes. ONLY=ema tries that one.
blocks: .venv/ready
	$(BIN)/python -m tests.soak.blocks $(if $(ONLY),--blocks $(ONLY))

# Upstream's own tests, in a stock tree and in one with all blocks: both must say the same; five minutes.
upstream: .venv/ready
	$(BIN)/python -m tests.soak.upstream

# 2,000 model files changed at random (COUNT and SEED for others): a quarter of an hour.
soak-models: .venv/ready
	$(BIN)/python -m tests.soak.models $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

# Stops a2patch at each operation and at ROUNDS random moments; a quarter of an hour.
faults: .venv/ready
	$(BIN)/python -m tests.soak.faults $(if $(ROUNDS),--rounds $(ROUNDS))

# Feeds spoiled files, environments, checkpoints and paths to every verb; ten minutes, or MINUTES, from a seed that is printed,
# or SEED.
fuzz: .venv/ready
	$(BIN)/python -m tests.soak.fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

# Puts the block at every position of every stock model, builds them all, and takes it out again; twenty minutes.
insertions: .venv/ready
	$(BIN)/python -m tests.soak.insertions

# Every scale of v8, 11 and 26, every head, other releases; an hour. ONLY=yolo26 tries those whose name has it.
transplants: .venv/ready
	$(BIN)/python -m tests.soak.transplants $(if $(ONLY),--only $(ONLY))

# Four models and three seeds, whole, killed at random moments, and on a Ray cluster of two nodes; an hour.
comparisons: .venv/ray
	$(BIN)/python -m tests.soak.comparisons

# The tests that need no torch, under Windows' Python in wine, which apt fetches if it may; TESTS=tests/windows runs those.
windows: .venv/ready
	$(BIN)/python -m tests.soak.windows $(TESTS)

# The blocks on the oldest Python and torch that they are written for; PYTHON38 names the first.
oldest: .venv/oldest/ready
	.venv/oldest/bin/python -m pytest -o addopts= --noconftest tests/patches/test_double_attention.py tests/patches/test_blocks.py

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# 6.6 GB, most of it torch.
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[verify,sizes,bench,test,lint]"
	@touch $@

.venv/ray: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[ray]"
	@touch $@

.venv/oldest/ready:
	$(PYTHON38) -m venv .venv/oldest
	.venv/oldest/bin/pip install --quiet --disable-pip-version-check torch==1.8.0 "numpy<1.24" pytest onnx onnxruntime
	@touch $@
