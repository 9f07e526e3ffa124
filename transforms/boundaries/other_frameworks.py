"""What frameworks call that are not covered yet: it stays sync, and what it calls, too.

Flask and Django run a view in a thread or process of a server of theirs, task queues a task in a worker: whether and how
these take coroutines depends on their versions and on how they are deployed.
"""

from __future__ import annotations

from asyncfix.boundary import Boundary, Candidate, Met

FRAMEWORKS = {
    "flask": "Flask",
    "flask_restx": "Flask-RESTX",
    "flask_smorest": "flask-smorest",
    "quart": "Quart",
    "bottle": "Bottle",
    "falcon": "Falcon",
    "pyramid": "Pyramid",
    "cherrypy": "CherryPy",
    "sanic": "Sanic",
    "litestar": "Litestar",
    "robyn": "Robyn",
    "tornado": "Tornado",
    "django": "Django",
    "rest_framework": "Django REST framework",
    "ninja": "Django Ninja",
    "channels": "Channels",
    "celery": "Celery",
    "dramatiq": "Dramatiq",
    "huey": "Huey",
    "rq": "RQ",
    "django_rq": "RQ",
    "arq": "arq",
    "apscheduler": "APScheduler",
    "schedule": "schedule",
    "airflow": "Airflow",
    "prefect": "Prefect",
    "dagster": "Dagster",
    "luigi": "Luigi",
    "kfp": "Kubeflow Pipelines",
    "scrapy": "Scrapy",
    "streamlit": "Streamlit",
    "dash": "Dash",
    "gradio": "Gradio",
    "invoke": "Invoke",
    "nox": "nox",
    "fabric": "Fabric",
    "functions_framework": "Functions Framework",
    "firebase_functions": "Firebase",
    "azure": "Azure Functions",
    "chalice": "Chalice",
    "aws_lambda_powertools": "Powertools for AWS Lambda",
    "modal": "Modal",
    "ray": "Ray",
    "telebot": "pyTelegramBotAPI",
    "strawberry": "Strawberry",
    "ariadne": "Ariadne",
    "mcp": "MCP",
    "fastmcp": "FastMCP",
    "langchain": "LangChain",
    "langchain_core": "LangChain",
    "llama_index": "LlamaIndex",
}
GIVEN = {
    "django.urls.path": (1, "view"),
    "django.urls.re_path": (1, "view"),
    "django.conf.urls.url": (1, "view"),
    "flask.Flask().add_url_rule": (2, "view_func"),
    "flask.Blueprint().add_url_rule": (2, "view_func"),
    "airflow.operators.python.PythonOperator": (-1, "python_callable"),
    "airflow.operators.python_operator.PythonOperator": (-1, "python_callable"),
    "airflow.providers.standard.operators.python.PythonOperator": (-1, "python_callable"),
}


class OtherFrameworks(Boundary):
    """Functions that bear a decorator of a framework, or are given to one."""

    takes = GIVEN

    def meets(self, candidate: Candidate) -> Met | None:
        names = (*candidate.decorators, *(candidate.given & set(GIVEN)))
        name = next((name for name in names if name.partition(".")[0] in FRAMEWORKS), None)
        if name is None:
            return None
        framework = FRAMEWORKS[name.partition(".")[0]]
        return Met(False, stays=f"is handed to {framework} ({name}), which is not covered yet")
