"""From the settings of the process to those of the generation engine."""

from __future__ import annotations

from generation.settings import GenerationSettings
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
        timeout_connect=settings.model_timeout_connect,
        timeout_first_token=settings.model_timeout_first_token,
        timeout_silence=settings.model_timeout_silence,
        timeout_total=settings.model_timeout_total,
        merge_interval_ms=settings.merge_interval_ms,
        jobs_running=settings.jobs_running,
        jobs_per_room=settings.limits().jobs_per_room,
        prompt_chars=settings.limits().prompt_chars,
    )
