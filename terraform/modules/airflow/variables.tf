variable "names" {
  description = "The names of resources.json, filled in."
  type        = object({ roles = map(string), secrets = map(string) })
}

variable "policy" {
  description = "What Airflow may do, as JSON."
  type        = string
}

variable "trust" {
  description = "Who may assume Airflow's role, as JSON."
  type        = string
}

variable "force_destroy" {
  description = "Whether destroying the registry deletes its images."
  type        = bool
}

variable "mwaa" {
  description = "Airflow as AWS runs it: its version, class of environment, most workers and level of logs; null for none."
  type = object({
    version     = string
    class       = string
    max_workers = number
    log_level   = string
  })
}

variable "mwaa_policy" {
  description = "What Airflow's role may do beside it as MWAA's execution role, as JSON."
  type        = string
}

variable "mwaa_trust" {
  description = "Who may assume Airflow's role when it is MWAA's execution role, as JSON."
  type        = string
}

variable "artifacts_bucket_arn" {
  description = "ARN of the bucket that MWAA takes DAGs, plugins and requirements from; it must be versioned."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnets" {
  description = "Ids of private subnets with a way out, in two zones at least."
  type        = list(string)
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
