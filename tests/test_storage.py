"""One file holds everything: saved and read again bit for bit, without texts, whole or not at all."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import prefdissect as pdx
from prefdissect.dissection import Dissection
from prefdissect.errors import FileFormatError
from test_tables import make_result, table_of_pairs

# Random, so that no compression makes it out of other text.
MARKER = "qZ7xV1mKp9TfR4wLs8YbN3cH"
TEXTS = ("prompt", "response_a", "response_b", "note")


@pytest.fixture(scope="module")
def result() -> Dissection:
    """Return a dissection of pairs with texts, a thin group without a fit, and a judge who was never asked."""
    texts = {t: [f"{t} {i} {MARKER}" for i in range(60)] for t in TEXTS}
    models = {"model_a": ["m1", "m2"] * 30, "model_b": [None, "m3"] * 30}
    df = table_of_pairs().assign(**texts, **models, judge_silent=[None] * 60)
    df.loc[3, "clear_a"] = np.nan
    return make_result(df)


@pytest.fixture(scope="module")
def path(result, tmp_path_factory) -> Path:
    return result.save(tmp_path_factory.mktemp("saved") / "run.nc")


@pytest.fixture(scope="module")
def loaded(path) -> Dissection:
    return Dissection.load(path)


def assert_same_frame(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# Everything survives


def test_tables_survive_bit_for_bit(result, loaded):
    assert_same_frame(loaded.weights, result.weights)
    assert_same_frame(loaded.overall(skipna=True), result.overall(skipna=True))
    assert_same_frame(loaded.summary(), result.summary())
    assert_same_frame(loaded.dropped, result.dropped)
    assert_same_frame(loaded.certificates, result.certificates)
    assert loaded.weights.attrs == result.weights.attrs
    assert repr(loaded) == repr(result)


def test_posterior_survives_bit_for_bit(result, loaded):
    xr.testing.assert_identical(loaded.posterior, result.posterior)
    assert loaded.fitted.fits.keys() == result.fitted.fits.keys()
    for key, fit in result.fitted.fits.items():
        other = loaded.fitted.fits[key]
        for name in (*fit.SUMMARIES, "cov", "precision", "linear", "draws"):
            one, two = getattr(fit, name), getattr(other, name)
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one, two, err_msg=f"{name} of {key}")
        assert (fit.engine, fit.certified, fit.certificate) == (other.engine, other.certified, other.certificate)
        assert type(other.certified) is bool


def test_design_survives_bit_for_bit(result, loaded):
    one, other = result.design, loaded.design
    for name in ("x", "y", "weight", "in_group", "pair_ids"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        assert getattr(one, name).dtype == getattr(other, name).dtype
    for name in ("columns", "roles", "judges", "groups"):
        assert getattr(one, name) == getattr(other, name)
    assert dict(one.group_kinds) == dict(other.group_kinds)
    assert one.encoder.encoding == other.encoder.encoding
    assert one.encoder.scales == other.encoder.scales
    assert one.encoder.schema == other.encoder.schema


@pytest.mark.parametrize("texts", [True, False])
def test_data_survive_bit_for_bit(result, tmp_path, texts):
    one = result.data
    other = Dissection.load(result.save(tmp_path / "run.nc", texts=texts)).data
    np.testing.assert_array_equal(one.ratings, other.ratings)
    np.testing.assert_array_equal(one.comparisons, other.comparisons)
    assert_same_frame(other.verdicts, one.verdicts)
    assert_same_frame(other.labels, one.labels)
    assert_same_frame(other.groups, one.groups)
    assert dict(other.group_kinds) == dict(one.group_kinds)
    assert other.schema == one.schema
    assert other.judges == one.judges == ["me", "you", "silent"]
    assert str(other.report) == str(one.report)
    ids = ["prompt_id", "response_id_a", "response_id_b", "cluster", "model_a", "model_b"]
    assert_same_frame(other.pairs[ids], one.pairs[ids])
    assert other.hash == one.hash == result.options["data_hash"]
    if texts:
        assert_same_frame(other.pairs, one.pairs)


def test_options_survive_and_a_second_save_is_the_same(result, loaded, tmp_path):
    assert loaded.options == result.options
    again = Dissection.load(loaded.save(tmp_path / "again.nc"))
    assert_same_frame(again.weights, result.weights)
    assert again.data.hash == result.data.hash


def test_later_questions_need_only_the_file(result, loaded):
    new = pd.DataFrame({f"{p}_{s}": [2, 0, 1] for p, s in [("clear", "a"), ("long", "b"), ("flat", "a")]})
    new = new.assign(clear_b=[0, 1, 1], long_a=[1, 1, 1], flat_b=[1, 1, 1], scenario=["Code", "Chat", "Code"])
    assert_same_frame(loaded.predict(new), result.predict(new))
    assert_same_frame(loaded.sel(judge="you", group="Code").weights, result.sel(judge="you", group="Code").weights)


def test_data_without_scenarios_or_dropped_pairs(tmp_path):
    """No group in the data and nothing left out: empty tables are saved too."""
    df = table_of_pairs().drop(columns=["scenario", "judge_me"]).iloc[:20]
    with pytest.warns(pdx.ConvergenceWarning):
        result = pdx.dissect(df, draws=10, chains=2, random_seed=0)
    assert result.dropped.empty
    loaded = Dissection.load(result.save(tmp_path / "run.nc"))
    assert_same_frame(loaded.weights, result.weights)
    assert_same_frame(loaded.dropped, result.dropped)
    assert loaded.data.groups.shape == (20, 0)
    assert loaded.data.hash == result.data.hash
    assert loaded.options == result.options
    assert loaded.options["random_seed"] == 0


def test_selection_without_a_fit_survives(result, tmp_path):
    thin = result.sel(group="Thin")
    loaded = Dissection.load(thin.save(tmp_path / "thin.nc"))
    assert_same_frame(loaded.weights, thin.weights)
    xr.testing.assert_identical(loaded.posterior, thin.posterior)


# No texts


def everything_in(path: Path) -> str:
    """Return all that a file holds, decompressed: raw bytes, attributes, datasets, parquet inside datasets."""
    found = [path.read_bytes().decode("latin-1")]

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        found.append(name)
        found.extend(str(value) for value in item.attrs.values())
        if isinstance(item, h5py.Dataset):
            values = np.asarray(item[()])
            raw = values.tobytes() if values.dtype != object else str(values.tolist()).encode()
            found.append(raw.decode("latin-1"))
            if raw[:4] == b"PAR1":
                found.append(pd.read_parquet(io.BytesIO(raw)).reset_index().to_csv())

    with h5py.File(path) as file:
        found.extend(str(value) for value in file.attrs.values())
        file.visititems(visit)
    return "\n".join(found)


def test_texts_stay_out_of_the_file(result, path, tmp_path):
    with_texts = everything_in(result.save(tmp_path / "texts.nc", texts=True))
    assert with_texts.count(f"{TEXTS[0]} 7 {MARKER}") >= 1, "the search would not find a text"
    assert MARKER not in everything_in(path)
    assert not set(TEXTS) & set(Dissection.load(path).data.pairs.columns)


def test_texts_are_out_by_default_and_in_on_request(result, tmp_path):
    pairs = Dissection.load(result.save(tmp_path / "texts.nc", texts=True)).data.pairs
    for text in TEXTS:
        assert pairs[text].tolist() == [f"{text} {i} {MARKER}" for i in range(60)]


# Whole or not at all


def test_failed_save_leaves_the_old_file_and_nothing_else(result, path, tmp_path, monkeypatch):
    target = tmp_path / "run.nc"
    target.write_bytes(path.read_bytes())
    original, calls = xr.Dataset.to_netcdf, []

    def fail_at_third(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise OSError("disk full")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail_at_third)
    with pytest.raises(OSError, match="disk full"):
        result.save(target)
    assert [p.name for p in tmp_path.iterdir()] == ["run.nc"]
    assert target.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("fault", ["missing", "text", "cut", "other netcdf", "no design", "no certificates", "folder"])
def test_file_that_is_no_dissection(path, tmp_path, fault):
    target = tmp_path / "broken.nc"
    if fault == "text":
        target.write_text("judge,weight\nme,1\n")
    elif fault == "cut":
        target.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif fault == "other netcdf":
        xr.Dataset({"weight": ("x", [1.0, 2.0])}).to_netcdf(target, engine="h5netcdf")
    elif fault == "no design":
        target.write_bytes(path.read_bytes())
        with h5py.File(target, "a") as file:
            del file["design"]
    elif fault == "no certificates":
        target.write_bytes(path.read_bytes())
        with h5py.File(target, "a") as file:
            del file["fits/certificate"]
    elif fault == "folder":
        target.mkdir()
    with pytest.raises(FileFormatError, match=r"broken\.nc") as caught:
        Dissection.load(target)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("written", "said"), [(999, "newer prefdissect.*999"), (1, "older prefdissect.*dissect the")])
def test_file_of_another_version_says_so(path, tmp_path, written, said):
    target = tmp_path / "other.nc"
    target.write_bytes(path.read_bytes())
    with h5py.File(target, "a") as file:
        meta = str(file.attrs["prefdissect"])
        assert '"format": 5' in meta
        file.attrs["prefdissect"] = meta.replace('"format": 5', f'"format": {written}')
    with pytest.raises(FileFormatError, match=said):
        Dissection.load(target)


# ArviZ, both majors


def weight_in(container) -> xr.DataArray:
    """Return the draws in what ArviZ holds them: `InferenceData` (0.x) or `DataTree` (1.x)."""
    return container["posterior"]["weight"]


@pytest.fixture
def az():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # arviz 0.23 announces arviz 1 at its first import of a day
        return pytest.importorskip("arviz")


def test_arviz_reads_the_file(result, path, az):
    with warnings.catch_warnings():
        # ArviZ 0.23 warns of groups outside its own scheme (fits, design, data); they do not disturb it.
        warnings.simplefilter("ignore", UserWarning)
        read = weight_in(az.from_netcdf(path))
    np.testing.assert_array_equal(read, result.posterior["weight"])
    assert read.dims == result.posterior["weight"].dims
    assert read["property"].to_numpy().tolist() == ["clear", "long", "flat"]


def test_arviz_takes_the_posterior(result, az):
    fitted = result.sel(group=["Code", "Chat"])
    xr.testing.assert_equal(weight_in(fitted.to_arviz()), fitted.posterior["weight"])
    r_hat = az.rhat(fitted.posterior)["weight"].sel(judge="me", group="Code")
    rows = fitted.weights.query("judge == 'me' and group == 'Code'")
    np.testing.assert_allclose(r_hat, rows["r_hat"], rtol=1e-4)


def test_arviz_draws_the_forest(result, az):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    fitted = result.sel(judge="me", group="Code")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of matplotlib and ArviZ about each other: not ours to mend
        az.plot_forest(fitted.posterior)
    try:
        texts = [t.get_text() for ax in plt.gcf().axes for t in [*ax.get_yticklabels(), *ax.texts]]
        drawn = " ".join(texts)
        assert all(p in drawn for p in ("clear", "long", "flat"))
    finally:
        plt.close("all")


def test_grouping_by_a_column_survives(tmp_path):
    """What was asked of the fit can be asked of the file."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"x_a": rng.integers(0, 3, 80), "x_b": rng.integers(0, 3, 80), "judge_j": rng.choice(["A", "B"], 80)}
    )
    table["lang"], table["note"] = (
        np.where(np.arange(80) % 2, "en", "de"),
        [{"k": i} if i % 2 else "text" for i in range(80)],
    )
    one = pdx.dissect(table, by="lang", random_seed=0)
    two = pdx.Dissection.load(one.save(tmp_path / "a.nc"))
    pd.testing.assert_frame_equal(one.predict(one.data), two.predict(two.data))
    whole = pdx.Dissection.load(one.save(tmp_path / "b.nc", texts=True))
    assert whole.data.pairs["note"].tolist()[:2] == ["text", '{"k": 1}']
    assert two.data.hash == whole.data.hash == one.options["data_hash"]


def test_a_folder_is_no_file(result, tmp_path):
    with pytest.raises(FileFormatError, match="is a folder"):
        result.save(tmp_path)


def test_voters_of_mixed_kinds_are_saved(tmp_path):
    """Whatever names the voters, a fit that took its time must not be lost to one column."""
    rows = {
        "pair_id": [f"p{i}" for i in range(20)],
        "judge": "crowd",
        "value": ["A", "B"] * 10,
        "voter": [1, "bob"] * 10,
    }
    one = pdx.dissect(pd.DataFrame({**rows, "x_a": [1, 0] * 10, "x_b": [0, 1] * 10}), random_seed=0)
    two = pdx.Dissection.load(one.save(tmp_path / "a.nc"))
    assert two.data.verdicts["voter"].tolist()[:2] == ["1", "bob"]
