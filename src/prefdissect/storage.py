"""A dissection in one netCDF file, so that all later questions need only that file.

Groups of the file: `posterior` (which ArviZ reads as it is), `fits`, `design`, `data`. Options,
schema and versions are JSON in the root attributes. The tables of pairs and verdicts are kept
as the bytes of a parquet file: netCDF has no missing text and no categories.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from prefdissect.data import DataReport, PreferenceData
from prefdissect.data.cells import plain
from prefdissect.data.flags import FLAG
from prefdissect.errors import FileFormatError
from prefdissect.features import Design, Encoder
from prefdissect.inference import Cutpoint, Fit, Pooled, Posterior, PriorArrays
from prefdissect.schema import PropertySchema

__all__ = ["read_file", "write_file"]

_FORMAT = 5  # 5: ties, presentation order and generators; 4: the prior of each column, the cluster of each row
_CONTRACT = ["prompt_id", "response_id_a", "response_id_b", "model_a", "model_b", "cluster", FLAG]
_PER_FIT = ("engine", "certified", "certificate")
_MATRICES = ("cov", "precision")
_ARRAYS = (*Fit.SUMMARIES, "linear", *_MATRICES)


def write_file(
    path: Path,
    data: PreferenceData,
    design: Design,
    posterior: Posterior,
    options: dict[str, Any],
    *,
    texts: bool,
) -> Path:
    """Write all parts to `path`, whole or not at all; `texts` adds prompts, responses and other columns."""
    if path.is_dir():
        raise FileFormatError(f"cannot write {str(path)!r}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise FileFormatError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    meta = {"format": _FORMAT, "options": options, "interval": posterior.interval, "texts": texts}
    root = xr.Dataset(attrs={"prefdissect": json.dumps(meta)})
    parts = {
        "posterior": posterior.to_dataset(design.is_property),
        "fits": _pack_fits(posterior),
        "design": _pack_design(design),
        "data": _pack_data(data, kept=None if texts else [*_CONTRACT, options.get("by")]),
    }
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / "whole.nc"
        root.to_netcdf(whole, engine="h5netcdf")
        for name, part in parts.items():
            packed = {v: {"zlib": True} for v in part.data_vars if part[v].dtype.kind in "fiu" and part[v].ndim}
            part.to_netcdf(whole, mode="a", group=name, engine="h5netcdf", encoding=packed)
        whole.replace(path)
    return path


def read_file(path: Path) -> tuple[PreferenceData, Design, Posterior, dict[str, Any]]:
    """Read what `write_file` wrote.

    Raises
    ------
    FileFormatError
        If the file is missing, is no netCDF file of ours, or was written in another format.
    """
    if not path.is_file():
        raise FileFormatError(f"there is no file {str(path)!r}")
    try:
        with xr.open_dataset(path, engine="h5netcdf") as root:
            meta = json.loads(root.attrs["prefdissect"])
        _check_format(path, meta["format"])
        parts = {name: _read_part(path, name) for name in ("posterior", "fits", "design", "data")}
        data = _unpack_data(parts["data"])
        design = _unpack_design(parts["design"], data.schema)
        return data, design, _unpack_fits(parts["fits"], parts["posterior"], meta["interval"]), meta["options"]
    except FileFormatError:  # a ValueError, too, that has said what is wrong
        raise
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise FileFormatError(f"{str(path)!r} is no saved dissection: {error!r}") from error


def _check_format(path: Path, written: int) -> None:
    if written > _FORMAT:
        raise FileFormatError(f"{str(path)!r} was written by a newer prefdissect (format {written}); upgrade")
    if written < _FORMAT:
        raise FileFormatError(
            f"{str(path)!r} was written by an older prefdissect (format {written}), without the "
            "terms of its fits; dissect the data again, which takes seconds"
        )


def _read_part(path: Path, name: str) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf", group=name) as part:
        return part.load()


def _pack_fits(posterior: Posterior) -> xr.Dataset:
    grid = ("judge", "group")
    fitted = np.array([[(j, g) in posterior.fits for g in posterior.groups] for j in posterior.judges])
    fields = {name: ((*grid, "property"), posterior.stack(name)) for name in (*Fit.SUMMARIES, "linear")}
    matrices = {name: ((*grid, "property", "other_property"), posterior.stack(name)) for name in _MATRICES}
    per_fit = {
        name: (
            grid,
            np.array([[_of(posterior, j, g, name) for g in posterior.groups] for j in posterior.judges]),
        )
        for name in _PER_FIT
    }
    coords = {
        "judge": list(posterior.judges),
        "group": list(posterior.groups),
        "property": list(posterior.columns),
    }
    prior = {
        "prior_scale": (("property",), posterior.prior.scale),
        "prior_is_laplace": (("property",), posterior.prior.is_laplace.astype("int8")),
    }
    variables = {**fields, **matrices, **per_fit, **prior, **_pack_cuts(posterior)}
    attrs = {} if posterior.pooled is None else {"pooled": json.dumps(posterior.pooled.to_dict())}
    return xr.Dataset({**variables, "fitted": (grid, fitted.astype("int8"))}, coords=coords, attrs=attrs)


def _pack_cuts(posterior: Posterior) -> dict[str, Any]:
    """Return the cutpoints of ties: their numbers, NaN where there is none, and draws."""
    shape = (len(posterior.judges), len(posterior.groups))
    numbers, draws = np.full((*shape, len(Cutpoint.SUMMARIES)), np.nan), np.full((*shape, *posterior.shape), np.nan)
    for (judge, group), fit in posterior.fits.items():
        if fit.cut is not None:
            at = posterior.judges.index(judge), posterior.groups.index(group)
            numbers[at] = [getattr(fit.cut, name) for name in Cutpoint.SUMMARIES]
            draws[at] = fit.cut.draws
    return {
        "cut": (("judge", "group", "of_cut"), numbers),
        "cut_draws": (("judge", "group", "chain", "draw"), draws.astype(np.float32)),
    }


def _unpack_cut(cell: xr.Dataset) -> Cutpoint | None:
    mean, sd, lower, upper = (float(number) for number in cell["cut"].to_numpy())
    return None if np.isnan(mean) else Cutpoint(mean, sd, lower, upper, cell["cut_draws"].to_numpy())


def _of(posterior: Posterior, judge: str, group: str, name: str) -> Any:
    fit = posterior.fits.get((judge, group))
    if name == "certified":
        return -1 if fit is None else int(fit.certified)
    if name == "engine":
        return "none" if fit is None else fit.engine
    return "{}" if fit is None else json.dumps(dict(fit.certificate))


def _unpack_fits(fits: xr.Dataset, posterior: xr.Dataset, interval: float) -> Posterior:
    judges, groups = _names(fits, "judge"), _names(fits, "group")
    draws = _unpack_draws(posterior, _names(fits, "property"))
    out = {}
    for j, judge in enumerate(judges):
        for g, group in enumerate(groups):
            cell = fits.isel(judge=j, group=g)
            if int(cell["fitted"]):
                arrays: dict[str, Any] = {n: cell[n].to_numpy().astype(float) for n in _ARRAYS}
                out[judge, group] = Fit(
                    **arrays,
                    draws=draws[j, g],
                    engine=str(cell["engine"].item()),  # type: ignore[arg-type]  # was an Engine when written
                    certified=bool(cell["certified"]),
                    certificate=json.loads(str(cell["certificate"].item())),
                    cut=_unpack_cut(cell),
                )
    prior = PriorArrays(fits["prior_scale"].to_numpy().astype(float), fits["prior_is_laplace"].to_numpy().astype(bool))
    pooled = Pooled.from_dict(json.loads(fits.attrs["pooled"])) if "pooled" in fits.attrs else None
    return Posterior(judges, groups, _names(fits, "property"), out, draws.shape[2:4], interval, prior, pooled)


def _unpack_draws(posterior: xr.Dataset, columns: Sequence[str]) -> np.ndarray[Any, Any]:
    """Return the draws of all columns in their order, [judge, group, chain, draw, column]."""
    grid = ("judge", "group", "chain", "draw")
    weight = posterior["weight"].transpose(*grid, "property")
    if "nuisance" not in posterior:
        return weight.to_numpy()
    other = posterior["nuisance"].transpose(*grid, "term")
    names = [*_names(posterior, "property"), *_names(posterior, "term")]
    return np.concatenate([weight, other], axis=-1)[..., [names.index(column) for column in columns]]


def _pack_design(design: Design) -> xr.Dataset:
    attrs = {
        "encoding_of_pairs": design.encoder.encoding,
        "scales": json.dumps(dict(design.encoder.scales)),
        "roles": json.dumps(list(design.roles)),
        "group_kinds": json.dumps(dict(design.group_kinds)),
        "ties": design.ties,
        "notes": json.dumps(list(design.notes)),
    }
    variables = {
        "x": (("row", "property"), design.x),
        "y": (("row", "judge"), design.y),
        "weight": (("row", "judge"), design.weight),
        "tied": (("row", "judge"), design.tied),
        "open": (("row", "judge"), design.open),
        "cluster": (("row",), design.cluster),
        "may_tie": (("judge",), design.may_tie.astype("int8")),
        "correlation": (("judge",), design.correlation),
        "in_group": (("row", "group"), design.in_group.astype("int8")),
        "dropped": (("byte",), _to_bytes(design.dropped)),
    }
    coords = {
        "row": [str(i) for i in design.pair_ids],
        "property": list(design.columns),
        "judge": list(design.judges),
        "group": list(design.groups),
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _unpack_design(part: xr.Dataset, schema: PropertySchema) -> Design:
    columns = _names(part, "property")
    encoding = part.attrs["encoding_of_pairs"]
    return Design(
        encoder=Encoder(schema, encoding, json.loads(part.attrs["scales"])),
        columns=columns,
        roles=tuple(json.loads(part.attrs["roles"])),
        pair_ids=np.array(_names(part, "row"), dtype=object),
        x=part["x"].to_numpy().astype(float),
        y=part["y"].to_numpy().astype(float),
        weight=part["weight"].to_numpy().astype(float),
        tied=part["tied"].to_numpy().astype(float),
        open=part["open"].to_numpy().astype(float),
        cluster=part["cluster"].to_numpy().astype(np.int64),
        in_group=part["in_group"].to_numpy().astype(bool),
        judges=_names(part, "judge"),
        groups=_names(part, "group"),
        group_kinds=json.loads(part.attrs["group_kinds"]),
        dropped=_from_bytes(part["dropped"]),
        ties=part.attrs["ties"],
        may_tie=part["may_tie"].to_numpy().astype(bool),
        correlation=part["correlation"].to_numpy().astype(float),
        notes=tuple(json.loads(part.attrs["notes"])),
    )


def _pack_data(data: PreferenceData, *, kept: Sequence[str | None] | None) -> xr.Dataset:
    """Return the data as netCDF holds them; of the pairs only the columns in `kept`, all if None."""
    pairs = data.pairs if kept is None else data.pairs[[c for c in data.pairs.columns if c in kept]]
    texts = [] if kept is None else ["judge_prompt", "judge_reply"]
    verdicts = data.verdicts.drop(columns=texts, errors="ignore")
    attrs = {
        "schema": data.schema.model_dump_json(),
        "vocabulary": data.vocabulary.model_dump_json() if data.vocabulary else "",
        "group_kinds": json.dumps(dict(data.group_kinds)),
        "report": json.dumps(asdict(data.report)),
    }
    variables = {
        "ratings": (("pair", "side", "property"), data.ratings),
        "comparisons": (("pair", "property"), data.comparisons),
        "groups": (("pair", "group"), data.groups.to_numpy(dtype="int8")),
        "pairs": (("byte_of_pairs",), _to_bytes(pairs)),
        "verdicts": (("byte_of_verdicts",), _to_bytes(verdicts)),
    }
    return xr.Dataset(variables, coords={"group": [str(g) for g in data.groups.columns]}, attrs=attrs)


def _unpack_data(part: xr.Dataset) -> PreferenceData:
    pairs = _from_bytes(part["pairs"])
    kinds = json.loads(part.attrs["group_kinds"])
    report = json.loads(part.attrs["report"])
    vocabulary = part.attrs["vocabulary"]
    groups = part["groups"].to_numpy().astype(bool).reshape(len(pairs), -1)
    return PreferenceData(
        schema=PropertySchema.model_validate_json(part.attrs["schema"]),
        pairs=pairs,
        ratings=part["ratings"].to_numpy().astype(float),
        comparisons=part["comparisons"].to_numpy().astype(float),
        verdicts=_from_bytes(part["verdicts"]),
        groups=pd.DataFrame(groups, index=pairs.index, columns=list(_names(part, "group"))),
        group_kinds=kinds,
        vocabulary=PropertySchema.model_validate_json(vocabulary) if vocabulary else None,
        report=DataReport(
            tuple((topic, fact) for topic, fact in report["facts"]),
            tuple((why, n) for why, n in report["left_out"]),
        ),
    )


def _to_bytes(table: pd.DataFrame) -> np.ndarray[Any, Any]:
    buffer = io.BytesIO()
    plain = {c: _as_text(table[c]) for c in table.columns if pd.api.types.is_object_dtype(table[c])}
    table.assign(**plain).to_parquet(buffer)
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8)


def _as_text(column: pd.Series) -> pd.Series:
    """Return a column of objects as text, as JSON where a cell is no text: parquet wants one type a column."""
    cells = [_listed(cell) for cell in plain(column)]
    texts = [c if c is None or isinstance(c, str) else json.dumps(c, default=str) for c in cells]
    return pd.Series(texts, index=column.index, dtype="str")


def _listed(cell: Any) -> Any:
    return cell.tolist() if isinstance(cell, np.ndarray) else cell


def _from_bytes(variable: xr.DataArray) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(variable.to_numpy().astype(np.uint8).tobytes()))


def _names(part: xr.Dataset, dimension: str) -> tuple[str, ...]:
    return tuple(str(name) for name in part[dimension].to_numpy())
