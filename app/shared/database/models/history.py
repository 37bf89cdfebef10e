"""History: series of metrics, their samples, and the rollups of those."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.shared.database.models.base import Base, BigId, EmptyText, JsonObject, Moment, json_object, one_of

PARTITIONED = {"postgresql_partition_by": "RANGE (at)"}


class SeriesRow(Base):
    """A metric of a data source with its labels, over time."""

    __tablename__ = "series"
    __table_args__ = (
        UniqueConstraint("data_source_id", "metric", "labels", name="uq_series_data_source_id_metric_labels"),
        one_of("kind", "gauge", "counter"),
        json_object("labels"),
    )

    id: Mapped[BigId]
    data_source_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("data_sources.id", ondelete="CASCADE"))
    metric: Mapped[str]
    labels: Mapped[JsonObject]
    unit: Mapped[EmptyText]
    kind: Mapped[str] = mapped_column(server_default=text("'gauge'"))
    created_at: Mapped[Moment]


class SampleRow(Base):
    """A value of a series at a time. The table has no primary key: a clock that steps back gives a time twice."""

    __tablename__ = "samples"
    __table_args__ = (Index("ix_samples_series_id_at", "series_id", "at"), PARTITIONED)
    __mapper_args__ = {"primary_key": ["series_id", "at"]}  # noqa: RUF012  # SQLAlchemy's own declaration style

    series_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    value: Mapped[float] = mapped_column(Double)


class Rollup:
    """What the samples of one span of time, from `at` on, were. `up_count` counts values other than 0."""

    @declared_attr.directive
    def __table_args__(cls) -> dict[str, str]:  # noqa: N805  # SQLAlchemy calls it with the class
        return PARTITIONED

    series_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    minimum: Mapped[float] = mapped_column(Double)
    maximum: Mapped[float] = mapped_column(Double)
    total: Mapped[float] = mapped_column(Double)
    count: Mapped[int] = mapped_column(Integer)
    up_count: Mapped[int] = mapped_column(Integer)
    last: Mapped[float] = mapped_column(Double)
    last_at: Mapped[datetime]
    increase: Mapped[float] = mapped_column(Double, server_default=text("0"))


class FiveMinutesRow(Rollup, Base):
    """Rollups of five minutes."""

    __tablename__ = "samples_five_minutes"


class HourRow(Rollup, Base):
    """Rollups of an hour."""

    __tablename__ = "samples_hours"


class RollupMarkRow(Base):
    """A span of time with samples that its rollup has not seen yet."""

    __tablename__ = "rollup_marks"
    __table_args__ = (one_of("tier", "samples_five_minutes", "samples_hours"),)

    tier: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
