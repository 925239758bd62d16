variable "names" {
  description = "The names of resources.json, filled in."
  type        = object({ roles = map(string) })
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
