"""From the settings of the process to those of the generation engine."""

from __future__ import annotations

from generation.settings import GenerationSettings
from generation.usage import Bounds, Quotas
from server.model_settings import catalog
from server.settings import Settings


def generation_settings(settings: Settings) -> GenerationSettings:
    """The part of the settings that the generation engine reads."""
    key = settings.api_key
    providers = settings.providers
    return GenerationSettings(
        catalog=catalog(providers, settings.model, settings.fallback) if providers else None,
        model=settings.model,
        base_url=settings.base_url,
        api_key=key.get_secret_value() if key is not None else None,
        context_tokens=settings.model_context_tokens,
        context_wanted=settings.context_tokens,
        timeout_connect=settings.model_timeout_connect,
        timeout_first_token=settings.model_timeout_first_token,
        timeout_silence=settings.model_timeout_silence,
        timeout_total=settings.model_timeout_total,
        merge_interval_ms=settings.merge_interval_ms,
        jobs_running=settings.jobs_running,
        running_per_room=settings.jobs_running_per_room,
        jobs_per_room=settings.limits().jobs_per_room,
        prompt_chars=settings.limits().prompt_chars,
        prewarm=tuple(table.wish() for table in settings.prewarm),
        prewarm_every=settings.prewarm_minutes * 60,
        quotas=quotas(settings),
    )


def quotas(settings: Settings) -> Quotas:
    """What people, rooms and all together may ask of the models."""
    return Quotas(
        person=Bounds(
            settings.limit_jobs_per_person,
            settings.hourly_jobs_per_person,
            settings.hourly_tokens_per_person,
            settings.hourly_cost_per_person,
        ),
        room=Bounds(
            None, settings.hourly_jobs_per_room, settings.hourly_tokens_per_room, settings.hourly_cost_per_room
        ),
        server=Bounds(settings.limit_jobs, settings.hourly_jobs, settings.hourly_tokens, settings.hourly_cost),
    )
